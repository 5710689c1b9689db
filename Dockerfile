# Two stages: the compiler and the tests' tools stay behind.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY scripts/build.mjs scripts/build.mjs
COPY cmd cmd
COPY pkg pkg
COPY migrations migrations
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
# The image's own user, by number, so that a cluster can prove that it is not root.
USER 1000:1000
EXPOSE 2112
# Node directly: npm would stand between the daemon and its SIGTERM.
ENTRYPOINT ["node", "dist/cmd/flow-manager.js"]
