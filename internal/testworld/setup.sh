#!/bin/sh
# Installs what the tests need beyond Go, if it is missing: a C compiler and its headers (for the
# race detector), certificates (to download Go modules) and PostgreSQL's server and psql. On Debian
# and Ubuntu it also installs the clients of PostgreSQL that internal/clients runs, Chromium, in which
# internal/report and docs/site look at their pages, and systemd and Prometheus, which judge the files
# of docs/deploy.
# Each argument names another command to install, as in `setup.sh git make`.
#
# It installs with apt-get. On a terminal it asks first. Elsewhere it needs root or a sudo that
# asks for no password. Otherwise it prints how to install the missing packages, and exits with 1.
# npm then installs the clients for Node.js, in the folder of their tests. Tests skip clients that are not there: if nothing else is missing, it exits with 0, except under
# CI=1. CLIENTS=no leaves the clients out.
set -eu

# missing prints the Debian packages that are not installed, judged by a file or command of each.
missing() {
  compiler=$(go env CC)
  command -v "${compiler%% *}" >/dev/null || echo gcc
  echo '#include <stdlib.h>' | $compiler -E - >/dev/null 2>&1 || echo libc6-dev
  command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || echo postgresql
  # Other systems keep their certificates elsewhere; only Debian's images come without any.
  if command -v apt-get >/dev/null && ! [ -e "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" ]; then echo ca-certificates; fi
  for name; do
    command -v "$name" >/dev/null || echo "$name"
  done
}

# clients prints the Debian packages of clients that are not installed.
clients() {
  [ "${CLIENTS:-}" != no ] && command -v dpkg-query >/dev/null || return 0
  for name in python3-psycopg2 python3-psycopg python3-asyncpg python3-pg8000 python3-sqlalchemy \
    pgcli python3-pyodbc odbc-postgresql libpostgresql-jdbc-java prometheus systemd; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || echo chromium
  command -v javac >/dev/null || echo default-jdk-headless
  command -v npm >/dev/null || echo npm
}

# modules installs the modules of Node.js that the tests name. They lie beside that list, outside of git.
modules() {
  [ "${CLIENTS:-}" != no ] && command -v npm >/dev/null || return 0
  cd "${0%/*}/../clients/testdata/node"
  ! [ node_modules/.package-lock.json -nt package-lock.json ] || return 0
  echo 'installing modules of Node.js' >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null </dev/null || [ -z "${CI:-}" ]
}

# look sets needed to the packages that the tests cannot do without, and packages to all that are missing.
look() {
  needed=$(missing "$@" | paste -s -d ' ' -)
  packages=$({ missing "$@"; clients; } | paste -s -d ' ' -)
}

# explain prints how a person installs the packages, and ends the script.
explain() {
  if [ -z "$needed" ] && [ -z "${CI:-}" ]; then
    echo "$1. The tests skip these clients. With CLIENTS=no, nothing asks for them."
    modules
    exit
  fi
  echo "$1. To install what the tests need:"
  echo "  Debian, Ubuntu   apt-get install --no-install-recommends $packages"
  echo '  Fedora           dnf install gcc glibc-devel postgresql-server'
  echo '  Alpine           apk add gcc musl-dev postgresql postgresql-client'
  echo '  macOS            xcode-select --install && brew install postgresql'
  exit 1
} >&2

if ! command -v go >/dev/null; then
  echo 'Go is missing: install the version that go.mod names, or newer, from https://go.dev/dl/' >&2
  exit 1
fi
look "$@"
if [ -z "$packages" ]; then
  modules
  exit
fi
command -v apt-get >/dev/null || explain "$packages: missing, and apt-get is not here to install"

if [ -t 0 ] && [ -t 2 ]; then
  printf 'The tests need %s. Install with apt-get? [Y/n] ' "$packages" >&2
  read -r answer || answer=n
  case $answer in
    '' | [Yy] | [Yy][Ee][Ss]) sudo=sudo ;; # which may ask for a password here
    *) explain "$packages: missing" ;;
  esac
else
  sudo='sudo -n'
fi
if [ "$(id -u)" = 0 ]; then
  sudo=
elif ! $sudo true 2>/dev/null; then
  explain "$packages: missing, and installing needs root, or sudo without a password"
fi

echo "installing $packages" >&2
install() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >/dev/null </dev/null
}
# shellcheck disable=SC2086 # several packages
if ! install update || ! install install -y --no-install-recommends $packages; then
  explain "$packages: apt-get cannot install"
fi
look "$@"
[ -z "$packages" ] || explain "$packages: missing after the installation"
modules
