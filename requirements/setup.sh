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

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian and Ubuntu keep the module that makes environments in a package of its own.
    command -v apt-get >/dev/null || fail "$python cannot make environments: install its venv module"
    apt_get="env DEBIAN_FRONTEND=noninteractive apt-get -qq"
    [ "$(id -u)" -eq 0 ] || apt_get="sudo $apt_get"
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "set-up: installing $package (needed to make the environment)"
    $apt_get update
    $apt_get install --no-install-recommends "$package" ca-certificates >/dev/null ||
        fail "could not install $package: install it by hand and run this again"
fi

if [ "$(uname -s)" = Linux ] && ! "$python" -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null; then
    # The renderer of the sets needs it; machines without a compiler lack it.
    command -v apt-get >/dev/null || fail "libatomic.so.1 not found: install libatomic"
    apt_get="env DEBIAN_FRONTEND=noninteractive apt-get -qq"
    [ "$(id -u)" -eq 0 ] || apt_get="sudo $apt_get"
    echo "set-up: installing libatomic1 (needed to render)"
    { $apt_get update && $apt_get install --no-install-recommends libatomic1 >/dev/null; } ||
        fail "could not install libatomic1: install it by hand and run this again"
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
