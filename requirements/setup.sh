#!/bin/sh
# Creates .venv from the hash-locked requirements, the build of torch for this machine, and the project itself.
#   TORCH_BACKEND=cpu (default), auto, cu130, ...: the build of torch.
#   PIP_FIND_LINKS: a folder or page of wheels that is looked at first; a torch found there is taken as it is.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "set-up: $1" >&2
    exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "$python not found: install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old: install Python 3.11 or newer, or name one (make PYTHON=python3.12 ...)"

# install PACKAGE REASON [FURTHER...]: with Debian's and Ubuntu's package manager.
install_package() {
    package=$1 reason=$2
    shift 2
    command -v apt-get >/dev/null || fail "$reason: install what Debian calls $package"
    apt_get="env DEBIAN_FRONTEND=noninteractive apt-get -qq"
    [ "$(id -u)" -eq 0 ] || apt_get="sudo $apt_get"
    echo "set-up: installing $package ($reason)"
    { $apt_get update && $apt_get install --no-install-recommends "$package" "$@" >/dev/null; } ||
        fail "could not install $package: install it by hand and run this again"
}

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    install_package "$package" "needed to make the environment" ca-certificates
fi
if [ "$(uname -s)" = Linux ]; then
    "$python" -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null ||
        install_package libatomic1 "the renderer of the sets needs it"
    # On x86-64, libLLVM comes with the Python packages.
    [ "$(uname -m)" = x86_64 ] || ls /usr/lib/*/libLLVM*1[7-9]* /usr/lib/*/libLLVM*2[0-9]* >/dev/null 2>&1 ||
        ! command -v apt-get >/dev/null || install_package libllvm19 "makes the renderer ten times faster"
fi

[ -x .venv/bin/uv ] || "$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

export UV_FIND_LINKS="${PIP_FIND_LINKS:-}"
install=".venv/bin/uv pip install --quiet --python .venv/bin/python"
echo "set-up: installing the packages into .venv"
$install --require-hashes --no-deps -r requirements/dev.txt

if [ -z "${TORCH_BACKEND:-}" ] && ls "${PIP_FIND_LINKS:-/nonexistent}"/torch-*.whl >/dev/null 2>&1; then
    $install -r requirements/torch.txt
else
    $install --torch-backend="${TORCH_BACKEND:-cpu}" -r requirements/torch.txt
fi

# The project itself and its client, as they lie here.
$install --no-deps --no-build-isolation --editable . --editable protos/python
