"""The model against what is known of queues."""

import statistics

import pytest

from bench.queueing import Job, Parallel, Series, fixed_generation, needed, percentile, poisson, simulate

ONE = Job("engines", 1.0)


@pytest.mark.parametrize(
    ("work", "workers", "seconds"),
    [
        (ONE, 1, 1.0),
        (Series((ONE, ONE)), 1, 2.0),
        (Parallel((ONE, ONE)), 1, 2.0),
        (Parallel((ONE, ONE)), 2, 1.0),
        (fixed_generation(1.0), 1, 8.0),
        (fixed_generation(1.0), 9, 4.0),
    ],
)
def test_a_request_alone_takes_its_longest_way(work: Job | Series | Parallel, workers: int, seconds: float) -> None:
    assert simulate(work, [0.0], {"engines": (1, workers)}) == [pytest.approx(seconds)]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_waiting_is_that_of_a_queue_with_one_worker(load: float) -> None:
    """Pollaczek and Khinchine: with equal jobs, the mean wait is load / (2 (1 - load)) of a job."""
    taken = simulate(ONE, poisson(load, 40_000), {"engines": (1, 1)})
    assert statistics.mean(taken) - 1 == pytest.approx(load / (2 * (1 - load)), rel=0.1)


def test_calls_are_dealt_out_in_turn_by_each_gateway() -> None:
    arrivals = [0.001 * number for number in range(8)]
    assert max(simulate(ONE, arrivals, {"engines": (8, 1)})) == pytest.approx(1)
    # Gateways do not know of each other: several calls meet at one replica while others are idle.
    assert max(simulate(ONE, arrivals, {"engines": (8, 1)}, gateways=8)) > 1.5


def test_the_pods_that_are_needed_keep_the_time() -> None:
    few, many = needed("engines", 1.0, 1), needed("engines", 1.0, 1000)
    assert few["pods"] == 2
    assert many["p95"] <= 2
    assert many["utilisation"] < 0.6
    crowded = simulate(ONE, poisson(1000 / 180, 4000), {"engines": (round(0.8 * many["pods"]), 1)}, gateways=4)
    assert percentile(crowded, 95) > 2
