# One file, a target for each program, so that a new console never rebuilds or restarts a bot.
# Everything runs as one fixed uid: SQLite's WAL sidecars are then readable by whoever shares a volume.

FROM python:3.11.14-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 tradebot \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tradebot
WORKDIR /app


# The paper bot: standard library only.
FROM base AS arb-bot
RUN install -d -o 10001 -g 10001 /data/arb
COPY botkit botkit
COPY arb_bot arb_bot
USER 10001:10001
EXPOSE 9120
STOPSIGNAL SIGTERM
# A byte from the control socket: the process lives and its socket thread beats.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import socket; s = socket.create_connection(('127.0.0.1', 9120), 3); s.settimeout(3); raise SystemExit(not s.recv(1))"]
ENTRYPOINT ["python", "-m", "arb_bot"]
CMD ["--host", "0.0.0.0", "--data-dir", "/data/arb"]


# What the exporter depends on changes seldom, so it is a layer of its own.
FROM base AS exporter-environment
COPY requirements/exporter.lock /tmp/exporter.lock
RUN python -m venv /opt/exporter \
 && /opt/exporter/bin/python -m pip install --no-cache-dir --require-hashes -r /tmp/exporter.lock


FROM base AS exporter
ENV PATH=/opt/exporter/bin:$PATH
COPY --from=exporter-environment /opt/exporter /opt/exporter
RUN install -d -o 10001 -g 10001 /data/arb /var/lib/tradebot
COPY botkit botkit
COPY exporter exporter
COPY prometheus/runbooks exporter/runbooks
USER 10001:10001
EXPOSE 9121
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:9121/-/healthy', timeout=3)"]
# The settings are mounted at /app/exporter.yml, where the program looks by itself, also for `doctor`.
ENTRYPOINT ["python", "-m", "exporter"]


# The one-shot services of a start. Group 0 is Grafana's, which has to read its password, and the one that Alertmanager joins.
FROM base AS setup
RUN install -d -o 10001 -g 0 -m 0750 /secrets /run/alertmanager \
 && install -d -o 10001 -g 0 /targets
COPY deploy/__init__.py deploy/first_start.py deploy/receivers.py deploy/receiver_kinds.py deploy/receiver_texts.py deploy/welcome.py deploy/
USER 10001:0
ENTRYPOINT ["python", "-m"]
