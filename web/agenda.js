// The picture beside the headline: one day of three businesses that share the API and nothing
// else. An illustration, so nothing here is fetched.
(() => {
  'use strict';

  const FIRST_HOUR = 9;
  const HOURS = 5;

  // Bookings: [column, hour, hours, who, confirmed]. Words are [pt-BR, en].
  const businesses = [
    {
      key: 'fit', name: 'Academia Fit', domain: 'academia-fit.com',
      kind: ['Espaços', 'Spaces'], booking: ['Nova aula', 'New class'],
      resources: [['Spinning', 'Spinning'], ['Yoga', 'Yoga'], ['Funcional', 'Functional']],
      bookings: [[0, 9, 1, 'João S.', true], [0, 11, 2, 'Marina A.', true], [1, 10, 1, 'Rafael T.', true],
        [1, 12, 1, 'Bia N.', false], [2, 9, 2, 'Caio L.', true], [2, 13, 1, 'Lu M.', false]],
      rules: ['06:00 – 22:00', '60 min', '24 h'],
    },
    {
      key: 'aurora', name: 'Clínica Aurora', domain: 'clinica-aurora.com',
      kind: ['Pessoas', 'People'], booking: ['Nova consulta', 'New appointment'],
      resources: [['Dra. Lívia', 'Dr. Lívia'], ['Dr. Otávio', 'Dr. Otávio'], ['Dra. Nina', 'Dr. Nina']],
      bookings: [[0, 9, 0.5, 'Ana P.', true], [0, 10, 0.5, 'Davi R.', true], [0, 11.5, 1, 'Célia B.', false],
        [1, 9.5, 1, 'Igor F.', true], [1, 13, 0.5, 'Tânia G.', true], [2, 9, 1, 'Ruth C.', false],
        [2, 11, 0.5, 'Léo V.', true], [2, 12, 1.5, 'Alice D.', true]],
      rules: ['08:00 – 18:00', '30 min', '48 h'],
    },
    {
      key: 'foco', name: 'Foco Locações', domain: 'foco-locacoes.com',
      kind: ['Equipamentos', 'Equipment'], booking: ['Nova locação', 'New rental'],
      resources: [['Câmera 4K', '4K camera'], ['Drone', 'Drone'], ['Kit de luz', 'Light kit']],
      bookings: [[0, 9, 4, 'Estúdio Sol', true], [1, 11, 3, 'Vila Filmes', false], [2, 9, 2, 'Nara Q.', true],
        [2, 12, 2, 'Bloco 9', true]],
      rules: ['07:00 – 20:00', '60 min', '72 h'],
    },
  ];

  const ruleNames = [['Expediente', 'Hours'], ['Intervalo', 'Interval'], ['Cancelamento', 'Cancelling']];
  const statuses = { true: ['confirmado', 'confirmed'], false: ['pendente', 'pending'] };

  const demo = document.getElementById('demo');
  let current = businesses[0];

  const inLanguage = (pair) => pair[document.documentElement.lang === 'en' ? 1 : 0];

  function make(name, className, ...children) {
    const element = document.createElement(name);
    element.className = className;
    element.append(...children);
    return element;
  }

  const clock = (hour) => `${String(Math.floor(hour)).padStart(2, '0')}:${hour % 1 ? '30' : '00'}`;

  // Two grid rows an hour, below the row of names; the first column is the hours'.
  function place(element, column, hour, hours) {
    const row = 2 + (hour - FIRST_HOUR) * 2;
    element.style.gridArea = `${row} / ${column + 2} / ${row + hours * 2} / ${column + 3}`;
    return element;
  }

  function grid({ resources, bookings }) {
    const day = make('div', 'day');
    resources.forEach((resource, column) => {
      const name = make('span', 'day-resource', inLanguage(resource));
      name.style.gridColumn = String(column + 2);
      day.append(name);
    });
    for (let hour = FIRST_HOUR; hour < FIRST_HOUR + HOURS; hour++) {
      const line = make('span', 'day-line');
      line.style.gridRow = `${2 + (hour - FIRST_HOUR) * 2} / span 2`;
      day.append(line, place(make('span', 'day-hour', clock(hour)), -1, hour, 1));
    }
    for (const [column, hour, hours, who, confirmed] of bookings) {
      const slot = make('span', `slot ${confirmed ? 'confirmed' : 'pending'}${hours < 1 ? ' short' : ''}`,
        make('b', '', who), make('small', '', clock(hour), make('span', 'slot-status', ` · ${inLanguage(statuses[confirmed])}`)));
      day.append(place(slot, column, hour, hours));
    }
    return day;
  }

  function show() {
    const { key, name, domain, booking, rules } = current;
    demo.dataset.brand = key;
    demo.querySelector('.demo-brands').replaceChildren(...businesses.map((business) => {
      const button = make('button', 'demo-brand', make('span', 'swatch'), inLanguage(business.kind));
      button.type = 'button';
      button.dataset.brand = business.key;
      button.setAttribute('aria-pressed', String(business === current));
      button.addEventListener('click', () => {
        current = business;
        show();
        demo.querySelector('[aria-pressed="true"]').focus();
      });
      return button;
    }));
    const facts = rules.map((rule, i) => make('span', '', make('small', '', inLanguage(ruleNames[i])), rule));
    demo.querySelector('.demo-window').replaceChildren(
      make('div', 'demo-head', make('span', 'demo-logo', name[0]),
        make('span', 'demo-name', make('b', '', name), make('small', '', domain)),
        make('span', 'demo-new', inLanguage(booking))),
      grid(current),
      make('div', 'demo-rules', ...facts),
    );
  }

  demo.hidden = false;
  show();
  document.addEventListener('marca:language', show);
})();
