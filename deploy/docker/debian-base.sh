#!/bin/sh
# Makes a base for the images (BASE=NAME) out of Debian's packages, where no image registry can be reached. Needs root.
#   debian-base.sh NAME
set -eu
docker=${DOCKER:-docker}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,libatomic1,python3,python3-venv bookworm "$root" >&2
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar -C "$root" -c . | $docker import - "$1"
