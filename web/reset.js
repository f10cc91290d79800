// A new password by a link: /reset#<token>. What stands after the # is sent to no server by the browser itself;
// here it leaves the address, and with it the history, before anything else.
(() => {
  'use strict';

  const words = {
    'pt-BR': {
      different: 'As duas senhas são diferentes.',
      unreachable: 'O servidor não responde; tente novamente.',
      incomplete: 'Este endereço está incompleto: abra o link da mensagem, ou peça outro.',
      done: 'Senha trocada. Entre com a nova; as sessões abertas foram encerradas.',
    },
    en: {
      different: 'The two passwords are different.',
      unreachable: 'The server does not answer; try again.',
      incomplete: 'This address is not complete: open the link in the message, or ask for another.',
      done: 'The password was changed. Log in with the new one; open sessions were ended.',
    },
  };
  const byId = (id) => document.getElementById(id);
  const language = () => document.documentElement.lang;
  const say = () => words[language()];
  const token = location.hash.slice(1);
  let told = null; // a key of words; what the server said stays in the language in which it was said

  function tell(id, key) {
    told = key ? { id, key } : null;
    byId('problem').textContent = '';
    if (key) byId(id).textContent = say()[key];
  }

  function finish() {
    byId('form').hidden = true;
    byId('form').reset();
  }

  async function change(password) {
    const reply = await fetch('/auth/password/reset', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Accept-Language': language() },
      body: JSON.stringify({ token, new_password: password }),
    });
    if (reply.status === 204) {
      finish();
      tell('done', 'done');
      return;
    }
    const body = await reply.json();
    byId('problem').textContent = body.errors?.[0]?.msg ?? body.message;
    if (body.error === 'link_spent') finish();
  }

  async function submit(event) {
    event.preventDefault();
    const button = byId('form').querySelector('button');
    tell('problem', null);
    if (byId('password').value !== byId('again').value) {
      tell('problem', 'different');
      return;
    }
    button.disabled = true;
    try {
      await change(byId('password').value);
    } catch {
      tell('problem', 'unreachable');
    }
    button.disabled = false;
  }

  history.replaceState(null, '', location.pathname);
  byId('form').addEventListener('submit', submit);
  document.addEventListener('marca:language', () => {
    if (told) byId(told.id).textContent = say()[told.key];
  });
  if (token === '') tell('problem', 'incomplete');
  else byId('form').hidden = false;
})();
