"""From an analysed tape to an `Explanation`: pieces of source, their roles, formulas, derivations, numbers."""
