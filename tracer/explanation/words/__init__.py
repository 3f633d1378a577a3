"""Every sentence that a reader sees; reasons come in as data."""
