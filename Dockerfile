# Tidelake as one image for Lambda and for containers (Fargate, Kubernetes, cron).
# Promises: nothing in it was built by an install script; dependencies are those of the lock file, without the ones for
# development; runs as nobody special and writes to /tmp only.
# Lambda starts it as it is. Anything else names the command:
#   docker run --entrypoint node IMAGE /var/task/dist/pipeline/cli/main.js run --wait
# Source: AWS Lambda Developer Guide, "Deploy Node.js Lambda functions with container images". The base image has Lambda's
# runtime interface client, and glibc, which DuckDB's native part needs.
# Build for the architecture that runs it: docker build --platform linux/amd64 (or linux/arm64) -t tidelake .
ARG BASE=public.ecr.aws/lambda/nodejs:24

FROM ${BASE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json LICENSE ./
COPY schemas ./schemas
COPY transforms ./transforms
COPY pipeline ./pipeline
COPY queries ./queries
COPY scripts/build-kernel.mjs ./scripts/
COPY infra/template.json ./infra/template.json
RUN node scripts/build-kernel.mjs && node node_modules/typescript/bin/tsc -p tsconfig.json
# Lambda runs the image as a user of its own, who must be able to read what a checkout perhaps keeps from others.
RUN chmod -R a+rX package.json LICENSE queries infra dist

FROM ${BASE}
WORKDIR /var/task
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/package.json /build/LICENSE ./
COPY --from=build /build/queries ./queries
COPY --from=build /build/infra ./infra
COPY --from=build /build/dist ./dist
# ECS makes the empty volume that a task mounts here root's alone, unless the image declares one at the same path: then it
# keeps these permissions (Amazon ECS Developer Guide, "Bind mounts").
WORKDIR /tmp
RUN chmod 1777 .
VOLUME ["/tmp"]
WORKDIR /var/task
USER 1000:1000
CMD ["dist/pipeline/cli/runner/lambda.handler"]
