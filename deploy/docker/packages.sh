#!/bin/sh
# Makes /opt/venv in an image from a lock, and writes down what is in it (CycloneDX) as /opt/venv/sbom.json.
#   packages.sh LOCK [PACKAGE...]: requirements/LOCK.txt, and packages of requirements/torch.txt in the build asked for.
set -eu
lock=$1
shift
python3 -m venv --without-pip /opt/venv
install="/opt/tools/bin/uv pip install --python /opt/venv/bin/python --compile-bytecode"
$install --require-hashes --no-deps -r "requirements/$lock.txt"
# Wheels that hold links make them when Python starts for the first time, which must not be in a read-only image.
/opt/venv/bin/python -c ''
build=--torch-backend=${TORCH_BACKEND:-cpu}
if ls /wheels/torch-*.whl >/dev/null 2>&1; then build="--find-links /wheels"; fi
for package in "$@"; do
    # shellcheck disable=SC2086  # two words
    $install --no-deps $build "$(grep "^$package==" requirements/torch.txt)"
done
/opt/tools/bin/cyclonedx-py environment --output-reproducible --of JSON -o /opt/venv/sbom.json /opt/venv/bin/python
