from pathlib import Path

import pytest

from common.serving import threads


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000"}, 64),
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "20000 100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ({"cpu.max": "nonsense"}, 64),
    ],
)
def test_the_quota_of_the_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cpus: int
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    assert threads.available_cpus() == cpus


@pytest.mark.parametrize(
    ("setting", "environment", "number"),
    [(3, "5", 3), (None, "5", 5), (None, "", 2), (None, "4,2", 4), (None, "many", 2)],
)
def test_a_setting_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, setting: int | None, environment: str, number: int
) -> None:
    monkeypatch.setenv(threads.OMP_THREADS, environment)
    monkeypatch.setattr(threads, "available_cpus", lambda: 2)
    monkeypatch.setattr(threads, "_SETTERS", {})
    assert threads.limit_threads(setting) == number
    assert threads.compute_threads() == number
