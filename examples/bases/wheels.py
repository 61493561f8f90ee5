#!/usr/bin/env python3
"""Repack Python packages that Debian has unpacked into wheels that pip installs without a package index.

usage: wheels.py DIST_PACKAGES OUT [REQUIREMENTS...]

DIST_PACKAGES is a usr/lib/python3/dist-packages directory. A version that one of the REQUIREMENTS files pins
(`Flask==2.0.2`) is given to the wheel with Debian's own behind it (`2.0.2+debian.2.2.2`): a pin ignores a local
version label (PEP 440), so that requirements written for the package index are met unedited.
"""

import base64
import email
import hashlib
import pathlib
import re
import sys
import zipfile


# What the package index calls a distribution whose Debian package keeps the upstream name.
INDEX_NAMES = {"psycopg2": "psycopg2-binary"}

# Debian's metadata leaves out what its package dependencies say already.
REQUIREMENTS = {
    "flask": ["Werkzeug", "Jinja2", "itsdangerous", "click"],
    "jinja2": ["MarkupSafe"],
    "werkzeug": ["MarkupSafe"],
    "redis": ["async-timeout", "deprecated", "packaging"],
    "deprecated": ["wrapt"],
}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins_of(files):
    """Normalized name -> version, for every `name==version` line."""
    pins = {}
    for file in files:
        for line in pathlib.Path(file).read_text().splitlines():
            match = re.match(r"\s*([A-Za-z0-9._-]+)==([A-Za-z0-9._]+)", line)
            if match:
                pins[normalized(match[1])] = match[2]
    return pins


def top_level(metadata, packages):
    """The modules that belong to a distribution, as paths below `packages`."""
    listed = metadata / "top_level.txt"
    names = listed.read_text().split() if listed.exists() else []
    if not names:
        names = [normalized(metadata.name.split("-")[0]).replace("-", "_")]
    for name in names:
        if (packages / name).is_dir():
            yield packages / name
        for single in [packages / f"{name}.py", *packages.glob(f"{name}.*.so")]:
            if single.exists():
                yield single


def files_of(path):
    if path.is_file():
        return [path]
    return [file for file in sorted(path.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]


def record_line(name, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


def make_wheel(metadata, packages, out, pins):
    source = metadata / ("METADATA" if metadata.suffix == ".dist-info" else "PKG-INFO")
    message = email.message_from_string(source.read_text())
    name, version = INDEX_NAMES.get(message["Name"], message["Name"]), message["Version"]
    pin = pins.get(normalized(name))
    if pin and pin != version:
        version = f"{pin}+debian.{re.sub(r'[^a-zA-Z0-9.]', '.', version)}"
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    entries = {}
    for top in top_level(metadata, packages):
        for file in files_of(top):
            entries[str(file.relative_to(packages))] = file.read_bytes()
    if not entries:
        return
    requires = [f"Requires-Dist: {line}" for line in requirements_of(metadata, message)]
    entries[f"{stem}.dist-info/METADATA"] = "\n".join(
        ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *requires, ""]).encode()
    entries[f"{stem}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: wheels\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(record_line(entry, content) for entry, content in entries.items())
    entries[f"{stem}.dist-info/RECORD"] = (record + f"{stem}.dist-info/RECORD,,\n").encode()
    with zipfile.ZipFile(out / f"{stem}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        for entry, content in entries.items():
            wheel.writestr(entry, content)


def requirements_of(metadata, message):
    """Plain requirements, without those of extras. The versions are Debian's, which fit each other."""
    lines = message.get_all("Requires-Dist") or REQUIREMENTS.get(normalized(message["Name"]), [])
    listed = metadata / "requires.txt"
    if not lines and listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("["):
                break
            lines.append(line)
    for line in lines:
        if "extra ==" not in line and line.strip():
            yield re.match(r"[A-Za-z0-9._-]+", line.strip())[0]


def main():
    packages, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pins = pins_of(sys.argv[3:])
    out.mkdir(parents=True, exist_ok=True)
    for metadata in sorted(packages.iterdir()):
        if metadata.suffix in (".egg-info", ".dist-info") and metadata.is_dir():
            make_wheel(metadata, packages, out, pins)


if __name__ == "__main__":
    main()
