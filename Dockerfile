# Installs the libraries, at the versions and hashes of the lock file.
FROM python:3.12-slim AS libraries
ARG LOCK=requirements.lock
COPY requirements.lock requirements-voice.lock requirements-scale.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r $LOCK

# The bot. The libraries include ffmpeg, so no package of the distribution is installed.
FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin clapper \
    && install -d -m 0700 -o clapper -g clapper /data
COPY --from=libraries /venv /venv
COPY bot /app/bot
COPY cogs /app/cogs
COPY storage /app/storage
# Modules are imported from /app and never from the working directory.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080
USER clapper
VOLUME /data
WORKDIR /data
EXPOSE 8080
# Python runs as process 1, so it receives SIGTERM directly.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['HTTP_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
