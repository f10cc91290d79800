# syntax=docker/dockerfile:1
#
#   docker build --target marca -t marca .            the services, as user 10001
#   docker build --target gateway -t marca-gateway .  nginx in front of them, with deploy/nginx
#
# compose.yaml and deploy/kubernetes run them. Base and packages are those that the tests run with.

FROM debian:12-slim AS build
WORKDIR /src
# First what the packages follow from, so that a change of the sources keeps this layer.
COPY scripts/setup scripts/lib.sh scripts/
COPY tools/npm tools/npm
RUN scripts/setup --run
COPY . .
RUN scripts/build marca && install -D -s -m 755 build/marca /out/marca

FROM debian:12-slim AS marca
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libcurl4 libglib2.0-0 libhiredis0.14 libjansson4 libpq5 libseccomp2 libsodium23 libsqlite3-0 \
        libssl3 libuv1 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 700 -o 10001 -g 10001 /var/lib/marca \
    && install -d -m 3777 /run/postgresql
COPY --from=build /out/marca /usr/bin/marca
ENV MARCA_LISTEN=0.0.0.0:8000 MARCA_DATA=/var/lib/marca MARCA_LOG_FORMAT=json
USER 10001:10001
EXPOSE 8000
# SIGTERM: it finishes what it has in hand.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/usr/bin/marca", "health"]
ENTRYPOINT ["/usr/bin/marca"]
CMD ["serve"]

FROM debian:12-slim AS gateway
RUN apt-get update \
    && apt-get install -y --no-install-recommends nginx-light \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/nginx /etc/marca-gateway
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /health HTTP/1.0\\r\\nHost: gateway\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
# Its pid lies in /run/gateway, which is for whoever runs it to mount.
ENTRYPOINT ["/usr/sbin/nginx", "-p", "/run/gateway", "-c", "/etc/marca-gateway/nginx.conf", "-e", "stderr", "-g", "daemon off;"]
