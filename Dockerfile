# syntax=docker/dockerfile:1
# Two stages: the Swift toolchain builds, Debian runs. Both are Debian 12, so that the binary meets the glibc, OpenSSL and
# SQLite it was built against; Swift's own libraries are linked in.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libssl-dev zlib1g-dev libsqlite3-dev libnats-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies first: this layer lasts as long as Package.swift does.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Tests Tests
COPY protocol protocol
RUN swift build --configuration release --product usher --static-swift-stdlib \
 && install -D --strip "$(swift build --configuration release --show-bin-path)/usher" /out/usher

FROM debian:12-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libssl3 zlib1g libsqlite3-0 libnats3.4 libstdc++6 ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home usher \
 && install --directory --owner usher --group usher --mode 0700 /var/lib/usher /var/lib/usher-development
COPY --from=build /out/usher /usr/local/bin/usher
USER usher
# The journal, the signing key and, without a certificate of one's own, the development certificate. The other folder is for
# USHER_DEVELOPMENT_FOLDER, where several instances of a demonstration share one.
VOLUME /var/lib/usher
ENV USHER_DATA=/var/lib/usher USHER_LISTEN=0.0.0.0:8443
# Where the command line keeps its places when it is used in the container: the user has no home.
ENV XDG_STATE_HOME=/tmp XDG_CONFIG_HOME=/tmp
EXPOSE 8443
# Ready, not just alive: a server whose journal can't be written answers no.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["usher", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["usher"]
CMD ["serve"]
