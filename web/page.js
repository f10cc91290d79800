// The theme and the language of every page. Loaded in <head>, not deferred, so that the first
// paint already has the right colours. Portuguese is what the HTML says; an element that has
// English too carries it in data-en (its text) or data-en-label (its aria-label).
(() => {
  'use strict';

  const root = document.documentElement;
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

  // A browser may refuse storage; the choice then lasts as long as the page.
  const chosen = {};
  function recall(key) {
    try {
      return chosen[key] ?? localStorage.getItem(`marca.${key}`);
    } catch {
      return null;
    }
  }
  function remember(key, value) {
    chosen[key] = value;
    try {
      localStorage.setItem(`marca.${key}`, value);
    } catch {
      // Kept in `chosen`.
    }
  }

  function showTheme() {
    const theme = recall('theme') ?? (systemIsDark.matches ? 'dark' : 'light');
    root.dataset.theme = theme;
    root.classList.toggle('dark-mode', theme === 'dark'); // the name Swagger UI knows
  }

  function language() {
    return recall('lang') ?? (/^pt\b/i.test(navigator.language) ? 'pt-BR' : 'en');
  }

  function translate(element, key, read, write) {
    const portuguese = `${key}Pt`;
    element.dataset[portuguese] ??= read();
    write(element.dataset[root.lang === 'en' ? key : portuguese]);
  }

  function showLanguage() {
    root.lang = language();
    for (const e of document.querySelectorAll('[data-en]')) {
      translate(e, 'en', () => e.textContent, (text) => { e.textContent = text; });
    }
    for (const e of document.querySelectorAll('[data-en-label]')) {
      translate(e, 'enLabel', () => e.getAttribute('aria-label'), (text) => e.setAttribute('aria-label', text));
    }
    for (const button of document.querySelectorAll('[data-set-lang]')) {
      button.setAttribute('aria-pressed', String(button.dataset.setLang === root.lang));
    }
    document.dispatchEvent(new Event('marca:language'));
  }

  showTheme();
  root.lang = language();
  root.classList.add('has-script');
  systemIsDark.addEventListener('change', showTheme);

  document.addEventListener('DOMContentLoaded', () => {
    for (const button of document.querySelectorAll('[data-set-lang]')) {
      button.addEventListener('click', () => {
        remember('lang', button.dataset.setLang);
        showLanguage();
      });
    }
    document.querySelector('[data-toggle-theme]').addEventListener('click', () => {
      remember('theme', root.dataset.theme === 'dark' ? 'light' : 'dark');
      showTheme();
    });
    showLanguage();
  });
})();
