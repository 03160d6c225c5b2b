# syntax=docker/dockerfile:1
# The product in one small image; docker-compose.yml runs it as migrate, api and worker.

FROM golang:1.26-alpine AS source
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The pages are built with types that are made of the API's description.
RUN go run . openapi > designer/src/api/openapi.json

FROM node:22-alpine AS designer
WORKDIR /src/designer
COPY --from=source /src/designer ./
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund && npm run build

FROM source AS build
COPY --from=designer /src/designer/dist ./designer/dist
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X main.version=${VERSION}" -o /throughline .

FROM alpine:3.22
# Certificates for SMTP, webhooks and the language model; time zones are in the program.
RUN apk add --no-cache ca-certificates && adduser -D -H -u 10001 throughline
COPY --from=build /throughline /usr/local/bin/throughline
USER 10001:10001
ENV LISTEN=0.0.0.0:8080
EXPOSE 8080
# Is the process up? /readyz also asks PostgreSQL and Temporal, whose outage no restart of this container mends.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
	CMD wget -q -O /dev/null http://127.0.0.1:8080/healthz || exit 1
STOPSIGNAL SIGTERM
ENTRYPOINT ["throughline"]
CMD ["serve"]
