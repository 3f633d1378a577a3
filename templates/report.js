// One explanation at a time, keys, search, theme, linked variables.  Without this script everything is readable.
(() => {
'use strict';
const root = document.documentElement, one = (s, r = document) => r.querySelector(s), all = (s, r = document) => [...r.querySelectorAll(s)];
const cards = all('.card'), order = cards.map(card => +card.dataset.line), overview = one('#lines');
const narrow = matchMedia('(max-width:800px)');
let current = 0;
root.classList.add('js');

// line 0 is the table of all lines
function show(line, {focus = false, quiet = false} = {}) {
  const card = one('#L' + line);
  current = card ? line : 0;
  for (const other of cards) other === card ? other.removeAttribute('hidden') : other.setAttribute('hidden', 'until-found');
  overview.hidden = !!card;
  one('#explain').hidden = !card;
  document.body.classList.toggle('picked', !!card);
  for (const item of all('.code li')) {
    const on = !!card && +item.dataset.card === line;
    item.classList.toggle('on', on);
    const link = one('a', item);
    if (link) on ? link.setAttribute('aria-current', 'true') : link.removeAttribute('aria-current');
  }
  for (const node of all('.node')) node.classList.toggle('on', !!card && (+node.dataset.line === line || node.dataset.s === card.dataset.wrt));
  for (const edge of all('.edge')) edge.classList.toggle('on', !!card && +edge.dataset.to === line);
  const item = one('#c' + line), pane = one('.code');
  if (card && item && pane.scrollHeight > pane.clientHeight) {
    const top = item.getBoundingClientRect().top - pane.getBoundingClientRect().top;
    if (top < 20 || top > pane.clientHeight - 50) pane.scrollTop += top - pane.clientHeight / 2;
  }
  if (quiet) return;
  const hash = card ? '#L' + line : '#lines';
  // Inside a notebook's frame there is no address to change.
  if (location.hash !== hash) try { history.pushState(null, '', hash); } catch { /* the line is shown all the same */ }
  one('#explain').scrollTop = 0;
  const place = card || overview;
  if (narrow.matches) place.scrollIntoView({block: 'start'});
  if (focus) place.focus({preventScroll: true});
}
const wanted = () => { const found = /^#L(\d+)$/.exec(location.hash); return found ? +found[1] : 0; };
addEventListener('popstate', () => { if (/^#(L\d+|lines)?$/.test(location.hash)) show(wanted(), {quiet: true}); });

document.addEventListener('click', event => {
  const target = event.target, link = target.closest('a');
  const href = link && link.getAttribute('href') || '';
  if (/^#L\d+$/.test(href)) { event.preventDefault(); show(+href.slice(2), {focus: true}); return; }
  if (href === '#lines') { event.preventDefault(); show(0, {focus: true}); return; }
  const row = target.closest('.lines tr.row');
  if (row && !getSelection().toString()) { show(+one('a', row).hash.slice(2), {focus: true}); return; }
  const item = target.closest('.code li[data-card]');
  if (item && !getSelection().toString()) { show(+item.dataset.card); return; }
  const button = target.closest('button');
  if (!button) return;
  if (button.classList.contains('copy')) copy(button);
  if (button.id === 'theme') {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme:dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  }
});

async function copy(button) {
  const source = one('annotation', button.closest('.part, .deeper'));
  const text = source ? source.textContent : '';
  let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch {
    const area = document.createElement('textarea');
    area.value = text; document.body.append(area); area.select();
    done = document.execCommand('copy'); area.remove(); button.focus();
  }
  const label = button.textContent;
  button.textContent = done ? 'Copied' : 'Not copied';
  setTimeout(() => { button.textContent = label; }, 1400);
}

// the same variable in the code, the formulas and the graph
let lit = [];
function light(name) {
  for (const element of lit) element.classList.remove('hot');
  lit = name ? all('[data-s="' + CSS.escape(name) + '"]') : [];
  for (const element of lit) element.classList.add('hot');
  const uses = one('#uses');
  uses.textContent = '';
  if (!name) return;
  const lines = [...new Set(lit.map(e => e.closest('.code li')).filter(Boolean).map(li => li.id.slice(1)))];
  const code = document.createElement('code');
  code.textContent = name;
  if (lines.length) uses.append(code, (lines.length > 1 ? ' on lines ' : ' on line ') + lines.join(', '));
}
const variable = event => { const at = event.target.closest && event.target.closest('[data-s]'); return at && at.dataset.s; };
document.addEventListener('pointerover', event => { if (event.pointerType !== 'touch') light(variable(event)); });
document.addEventListener('focusin', event => light(variable(event)));

document.addEventListener('keydown', event => {
  if (event.target.matches('input') || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = order.indexOf(current);
  if (event.key === 'j' && at < order.length - 1) show(order[at + 1], {focus: true});
  else if (event.key === 'k' && at > 0) show(order[at - 1], {focus: true});
  else if (event.key === 'o') show(0, {focus: true});
  else if (event.key === '/') { event.preventDefault(); field.focus(); }
  else if (event.key === 'Escape') light(null);
});

// search
const field = one('#q'), hits = one('#hits');
let chosen = -1;
const entries = cards.map(card => ({
  line: +card.dataset.line, code: one('.where code', card).textContent,
  text: (one('.where code', card).textContent + ' ' + all('h3', card).map(h => h.textContent).join(' ')).toLowerCase(),
}));
function closeHits() { hits.hidden = true; field.setAttribute('aria-expanded', 'false'); field.removeAttribute('aria-activedescendant'); }
field.addEventListener('input', () => {
  const asked = field.value.trim().toLowerCase();
  hits.textContent = ''; chosen = -1;
  const found = asked ? entries.filter(entry => entry.text.includes(asked)).slice(0, 12) : [];
  found.forEach((entry, k) => {
    const item = document.createElement('li'), code = document.createElement('code');
    item.role = 'option'; item.id = 'hit' + k; item.dataset.line = entry.line;
    code.textContent = entry.code; item.append(entry.line + '  ', code); hits.append(item);
  });
  if (asked && !found.length) { const item = document.createElement('li'); item.textContent = 'No line matches'; hits.append(item); }
  hits.hidden = !asked;
  field.setAttribute('aria-expanded', String(!!asked));
});
function go(item) { if (item && item.dataset.line) { show(+item.dataset.line, {focus: true}); closeHits(); } }
field.addEventListener('keydown', event => {
  const items = all('li[data-line]', hits);
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    chosen = Math.max(0, Math.min(items.length - 1, chosen + (event.key === 'ArrowDown' ? 1 : -1)));
    items.forEach((item, k) => item.setAttribute('aria-selected', String(k === chosen)));
    if (items[chosen]) field.setAttribute('aria-activedescendant', items[chosen].id);
    event.preventDefault();
  } else if (event.key === 'Enter') go(items[Math.max(0, chosen)]);
  else if (event.key === 'Escape') { closeHits(); field.blur(); }
});
hits.addEventListener('pointerdown', event => { event.preventDefault(); go(event.target.closest('li')); });
field.addEventListener('blur', closeHits);
document.addEventListener('beforematch', event => { const card = event.target.closest('.card'); if (card) setTimeout(() => show(+card.dataset.line)); });

addEventListener('beforeprint', () => { for (const stage of all('details.stage')) stage.open = true; });

show(wanted(), {quiet: true});
})();
