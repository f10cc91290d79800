// One page for all services: which one is the last part of the address.
(() => {
  'use strict';

  const service = location.pathname.replace(/\/+$/, '').split('/').pop();

  for (const link of document.querySelectorAll('.top nav a')) {
    if (!link.pathname.endsWith(`/${service}`)) continue;
    link.setAttribute('aria-current', 'page');
    document.addEventListener('marca:language', () => {
      document.title = `${link.textContent} · API · marca`;
    });
  }

  SwaggerUIBundle({
    url: `/api-docs/${service}/openapi.json`,
    dom_id: '#swagger-ui',
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null, // else the document would go to a validator on the network
    // The server answers in the page's language.
    requestInterceptor(request) {
      request.headers['Accept-Language'] ??= document.documentElement.lang;
      return request;
    },
  });
})();
