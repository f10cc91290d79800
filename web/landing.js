// The landing page: the services' state, and the first steps with their copy buttons.
(() => {
  'use strict';

  const REFRESH_MS = 10_000;
  const TIMEOUT_MS = 5_000;

  const words = {
    'pt-BR': {
      ok: 'Operando', fault: 'Com falha', absent: 'Não informado', unreachable: 'Sem resposta', checking: 'Verificando',
      all: { ok: 'Todos os serviços operando', fault: 'Há serviço com falha', unreachable: 'O servidor não responde', checking: 'Verificando os serviços' },
      checked: 'Verificado às', copied: 'Copiado', notCopied: 'Selecione o texto e copie',
    },
    en: {
      ok: 'Operational', fault: 'Failing', absent: 'Not reported', unreachable: 'Unreachable', checking: 'Checking',
      all: { ok: 'All services operational', fault: 'A service is failing', unreachable: 'The server does not answer', checking: 'Checking the services' },
      checked: 'Checked at', copied: 'Copied', notCopied: 'Select the text and copy it',
    },
  };
  const say = () => words[document.documentElement.lang];
  const byId = (id) => document.getElementById(id);

  // A screen reader announces a status again whenever its text is set, so an equal one is left alone.
  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // --- The state of each service ---

  const cards = [...document.querySelectorAll('[data-service]')];
  let overall = 'checking';
  let checkedAt = null;

  // `checks` is what /ready says of each service; null when it said nothing.
  function takeReadiness(checks) {
    for (const card of cards) {
      const check = checks?.[card.dataset.service];
      if (checks === null) card.dataset.state = 'unreachable';
      else if (check === undefined) card.dataset.state = 'absent';
      else card.dataset.state = check === 'ok' ? 'ok' : 'fault';
    }
    const states = cards.map((card) => card.dataset.state);
    if (checks === null) overall = 'unreachable';
    else overall = states.includes('fault') || !states.includes('ok') ? 'fault' : 'ok';
    checkedAt = new Date();
    showReadiness();
  }

  function showReadiness() {
    const language = document.documentElement.lang;
    for (const card of cards) setText(card.querySelector('.state-text'), say()[card.dataset.state]);
    setText(byId('overall'), say().all[overall]);
    byId('overall').parentElement.dataset.state = overall;
    if (checkedAt) {
      byId('checked').hidden = false;
      byId('checked').textContent = `${say().checked} ${checkedAt.toLocaleTimeString(language)}`;
    }
  }

  async function refresh() {
    try {
      // Not ready is 503 with the same body: which service it is stands there too.
      const reply = await fetch('/ready', { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
      const { checks } = await reply.json();
      takeReadiness(checks ?? null);
    } catch {
      takeReadiness(null);
    }
  }

  async function watch() {
    if (!document.hidden) await refresh();
    setTimeout(watch, REFRESH_MS);
  }

  // --- First steps ---

  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const panelOf = (tab) => byId(tab.getAttribute('aria-controls'));
  let current = tabs[0];

  // The steps as written work on localhost in 2025; here, and in four days, is what the reader needs.
  function localize(text) {
    const soon = new Date(Date.now() + 4 * 86_400_000).toISOString().slice(0, 10);
    return text.replaceAll('http://localhost:8000', location.origin).replaceAll('2025-12-05', soon);
  }

  const TOKENS = /(?<key>"\w+"(?=:))|(?<word>\bcurl\b|\becho\b|\bcut\b)|(?<name>\$?\b[A-Z]{4,}\b)|(?<text>"[^"\n$']*")/g;

  function colour(code) {
    const source = code.textContent;
    const parts = [];
    let at = 0;
    for (const match of source.matchAll(TOKENS)) {
      const [kind] = Object.entries(match.groups).find(([, value]) => value !== undefined);
      const span = document.createElement('span');
      span.className = `code-${kind}`;
      span.textContent = match[0];
      parts.push(source.slice(at, match.index), span);
      at = match.index + match[0].length;
    }
    code.replaceChildren(...parts, source.slice(at));
  }

  function choose(tab) {
    current = tab;
    for (const each of tabs) {
      each.setAttribute('aria-selected', String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      panelOf(each).hidden = each !== tab;
    }
    setText(byId('copied'), '');
  }

  // The keys that the ARIA practices give to a list of tabs.
  function onKey(event) {
    const at = tabs.indexOf(current);
    const to = {
      ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs.at(to % tabs.length));
    current.focus();
  }

  async function copy(text) {
    try {
      // Absent where the page came over plain HTTP from another machine.
      await navigator.clipboard.writeText(text);
      setText(byId('copied'), say().copied);
    } catch {
      getSelection().selectAllChildren(panelOf(current));
      setText(byId('copied'), say().notCopied);
    }
  }

  for (const tab of tabs) {
    const code = panelOf(tab).firstElementChild;
    code.textContent = localize(code.textContent);
    colour(code);
    tab.addEventListener('click', () => choose(tab));
    tab.addEventListener('keydown', onKey);
  }
  byId('copy-step').addEventListener('click', () => copy(panelOf(current).textContent));
  byId('copy-all').addEventListener('click', () => copy(tabs.map((tab) => panelOf(tab).textContent).join('\n')));

  choose(current);
  document.addEventListener('marca:language', showReadiness);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
  watch();
})();
