"""Three segmentation replicas behind one name, as in a cluster: `make test-rolling`."""

import asyncio
import statistics

from tests.rolling.replicas import ADDRESSES, CONNECTION_AGE_SECONDS, replicas


async def test_calls_are_shared_out_evenly() -> None:
    async with replicas(3) as three:
        async with three.under_load():
            await three.until_answered(900)
        counts = three.counts().values()
        mean = statistics.mean(counts)
        assert not three.failures
        assert all(abs(count - mean) <= 0.15 * mean for count in counts), three.counts()


async def test_a_new_replica_gets_its_share_when_connections_are_renewed() -> None:
    async with replicas(2) as three, three.under_load():
        await three.until_answered(100)
        await asyncio.to_thread(three.start, ADDRESSES[2])
        # gRPC jitters the maximum connection age by 10%.
        await asyncio.sleep(1.1 * CONNECTION_AGE_SECONDS + 2)
        before = three.counts()
        await three.until_answered(300)
        shares = {address: count - before[address] for address, count in three.counts().items()}
        assert not three.failures
        assert shares[ADDRESSES[2]] > 0.2 * sum(shares.values()), shares


async def test_a_replica_that_is_killed_costs_no_call() -> None:
    async with replicas(3) as three:
        async with three.under_load():
            await three.until_answered(200)
            three.names.addresses.remove(ADDRESSES[0])
            await asyncio.to_thread(three.processes[ADDRESSES[0]].kill)
            await three.until_answered(200)
        assert not three.failures


async def test_all_are_renewed_under_load_and_no_call_of_a_thousand_fails() -> None:
    async with replicas(3) as three:
        async with three.under_load():
            for address in ADDRESSES:
                await three.until_answered(250)
                three.names.addresses.remove(address)
                assert await asyncio.to_thread(three.processes[address].stop) == 0
                await asyncio.to_thread(three.start, address)
            await three.until_answered(250)
        assert three.answered >= 1000
        assert not three.failures
