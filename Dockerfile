# Sluice in an empty container: one binary, the C library it needs, certificates, time zones, and a user without rights.
#
#   docker build -t sluice --build-arg SLUICE_COMMIT=$(git rev-parse --short=12 HEAD) .
#   docker run -d -p 8080:8080 -v sluice:/data -e SLUICE_API_KEYS=choose-a-key sluice

FROM oven/bun:1.4.5-debian AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --ignore-scripts
COPY . .
ARG SLUICE_COMMIT=unknown
RUN SLUICE_COMMIT="$SLUICE_COMMIT" bun scripts/build-binary.ts && bun scripts/build-rootfs.ts dist/sluice /rootfs

FROM scratch
COPY --from=build /rootfs /
# Every interface of the container; because others can reach it, Sluice refuses to start without `api-keys`.
ENV SLUICE_LISTEN=:8080
ENV SLUICE_AUTH_DIR=/data/auths
ENV SLUICE_DATA_DIR=/data
ENV HOME=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=4s --start-period=5s --retries=3 CMD ["/sluice", "health"]
ENTRYPOINT ["/sluice"]
CMD ["serve"]
