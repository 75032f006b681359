#!/bin/sh
# What compose.yaml needs and no repository should have: a password for the database, and a certificate for the balancers.
# What is there already stays.
set -eu
umask 077
cd "${1:-$(dirname "$0")}"
[ -f .env ] || echo "POSTGRES_PASSWORD=$(openssl rand -hex 24)" >.env
mkdir -p certs
if [ ! -f certs/ovncp.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=ovncp.example.com \
        -addext subjectAltName=DNS:ovncp.example.com,DNS:localhost,IP:127.0.0.1 \
        -keyout certs/ovncp.key -out certs/ovncp.crt 2>/dev/null
fi
# HAProxy reads both from one file, and not as root.
cat certs/ovncp.crt certs/ovncp.key >certs/ovncp.pem
chmod 644 certs/ovncp.pem certs/ovncp.crt
chmod 755 certs
echo "ready: docker compose up --build --detach"
