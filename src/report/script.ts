// The page's own script: switches the language, filters and sorts the anomalies, opens details for printing.
// Without it the page still reads in its first language.

/** How many details are opened when the page is printed, in the order shown. */
const DETAILS_ON_PAPER = 5;

export const SCRIPT = `'use strict';
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const switcher = document.querySelector('.languages');
  const show = (language) => {
    root.lang = language;
    document.title = language === 'en' ? root.dataset.titleEn : root.dataset.titleEs;
    for (const button of all('button', switcher)) button.setAttribute('aria-pressed', String(button.dataset.language === language));
  };
  switcher.hidden = false;
  switcher.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) show(button.dataset.language);
  });
  show(root.lang);

  const table = document.querySelector('table.anomalies');
  if (!table) return;
  const bodies = all('tbody.anomaly', table);
  const texts = new Map(bodies.map((body) => [body, fold(body.textContent)]));
  function fold(text) {
    return text.normalize('NFD').replace(/[\\u0300-\\u036f]/g, '').toLowerCase();
  }
  const input = document.getElementById('filter');
  let decision = '';
  const filter = () => {
    const words = fold(input.value).split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const body of bodies) {
      const text = texts.get(body);
      const shown = (decision === '' || body.dataset.decision === decision) && words.every((word) => text.includes(word));
      body.hidden = !shown;
      if (shown) count += 1;
    }
    document.getElementById('shown').textContent = String(count);
    document.getElementById('nothing').hidden = count > 0;
  };
  document.querySelector('.filters').hidden = false;
  input.addEventListener('input', filter);
  for (const button of all('[data-decision]', document.querySelector('.filters'))) {
    button.addEventListener('click', () => {
      decision = button.dataset.decision;
      for (const other of all('.choices button')) other.setAttribute('aria-pressed', String(other === button));
      filter();
    });
  }

  let sorted = 'rank';
  let direction = 1;
  for (const heading of all('th[data-sort]', table)) {
    // Not a <button>: those are missing from a table head repeated on paper.
    const button = document.createElement('span');
    button.setAttribute('role', 'button');
    button.tabIndex = 0;
    button.append(...heading.childNodes);
    heading.append(button);
    const key = heading.dataset.sort;
    if (key === sorted) heading.setAttribute('aria-sort', 'ascending');
    const sort = () => {
      direction = sorted === key ? -direction : key === 'rank' ? 1 : -1;
      sorted = key;
      for (const other of all('th[data-sort]', table)) other.removeAttribute('aria-sort');
      heading.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
      const number = (body) => Number(body.dataset[key]);
      const rank = (body) => Number(body.dataset.rank);
      table.append(...[...bodies].sort((a, b) => direction * (number(a) - number(b)) || rank(a) - rank(b)));
    };
    button.addEventListener('click', sort);
    button.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      sort();
    });
  }

  let opened = [];
  addEventListener('beforeprint', () => {
    opened = all('tbody.anomaly:not([hidden]) details:not([open])').slice(0, ${DETAILS_ON_PAPER});
    for (const details of opened) details.open = true;
  });
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
  });
})();`;
