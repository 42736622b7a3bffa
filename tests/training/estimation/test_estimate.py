import pytest

from histowidgets.errors import BudgetError
from histowidgets.training import TrainingSettings, estimate, start_training, train
from histowidgets.training.data._request import make_request
from histowidgets.training.estimation import _estimate as budget
from histowidgets.training.estimation._footprint import footprint
from histowidgets.training.estimation._memory import Memory, host_memory
from tests.training.helpers import painted, quick

GB = 10**9


def written(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def computer(tmp_path, cgroup_line, free_kb=8_000_000):
    return written(
        tmp_path / "proc",
        {"meminfo": f"MemTotal: 16000000 kB\nMemAvailable: {free_kb} kB\n", "self/cgroup": cgroup_line},
    )


def test_n14_cgroup_v2_limit_counts_and_cached_files_are_free(tmp_path):
    cgroup = written(
        tmp_path / "cgroup",
        {
            "memory.max": "max\n",
            "pod/memory.max": "2000000000\n",
            "pod/memory.current": "1500000000\n",
            "pod/memory.stat": "anon 900000000\ninactive_file 400000000\n",
            "pod/one/memory.max": "max\n",
        },
    )
    memory = host_memory(computer(tmp_path, "0::/pod/one\n"), cgroup)
    assert memory == Memory(900_000_000, "the container", 2_000_000_000)


def test_n14_cgroup_v2_of_a_container_that_sees_only_its_own(tmp_path):
    cgroup = written(tmp_path / "cgroup", {"memory.max": "1000000000", "memory.current": "400000000"})
    assert host_memory(computer(tmp_path, "0::/not/to/be/seen\n"), cgroup).free == 600_000_000


def test_n14_cgroup_v1_limit_counts(tmp_path):
    cgroup = written(
        tmp_path / "cgroup",
        {
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.usage_in_bytes": "5",
            "memory/docker/x/memory.limit_in_bytes": "3000000000",
            "memory/docker/x/memory.usage_in_bytes": "2500000000",
            "memory/docker/x/memory.stat": "total_inactive_file 100000000\n",
        },
    )
    proc = computer(tmp_path, "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n")
    assert host_memory(proc, cgroup) == Memory(600_000_000, "the container", 3_000_000_000)


def test_n14_without_limits_the_computer_counts_and_elsewhere_nothing_is_known(tmp_path):
    proc = computer(tmp_path, "0::/\n", free_kb=1000)
    assert host_memory(proc, tmp_path / "none") == Memory(1_024_000, "this computer", 16_384_000_000)
    assert host_memory(tmp_path / "nowhere", tmp_path / "none").free is None


@pytest.fixture
def small_container(tmp_path, monkeypatch):
    """Make the program believe that so many bytes are free in its container."""

    def shrink(free):
        cgroup = written(tmp_path / "cgroup", {"memory.max": str(2 * free), "memory.current": str(free)})
        proc = computer(tmp_path, "0::/\n")
        monkeypatch.setattr(budget, "host_memory", lambda: host_memory(proc, cgroup))

    return shrink


def test_n14_run_that_cannot_fit_is_refused_with_the_nearest_setting_that_would(small_container):
    settings = quick(tile_size=512, batch_size=16, freeze="none")
    request = make_request(painted(), settings)
    small_container(footprint(request, settings).host // 2)
    with pytest.raises(BudgetError) as caught:
        start_training(painted(), settings)
    message = str(caught.value)
    assert "the container, which has" in message
    assert "Use batch_size 4 with accumulation 4" in message or "Use batch_size 8 with accumulation 2" in message
    suggestion = estimate(painted(), settings).suggestion
    assert suggestion.tile_size == 512
    assert suggestion.batch_size * suggestion.accumulation == 16
    assert budget.estimate_request(make_request(painted(), suggestion), measure=False).fits


def test_n14_where_a_small_batch_is_not_enough_the_tile_then_the_backbone_shrink(small_container):
    settings = quick(tile_size=512, batch_size=2, freeze="none", backbone="resnet50", pretrained=False)
    request = make_request(painted(), settings)
    one = footprint(request, settings.model_copy(update={"batch_size": 1, "accumulation": 2})).host
    small_container(one - 1)
    smaller = estimate(painted(), settings).suggestion
    assert smaller.tile_size < 512
    assert smaller.backbone == "resnet50"
    tiny = footprint(request, settings.model_copy(update={"batch_size": 1, "tile_size": 64})).host
    small_container(tiny - 10_000_000)
    assert estimate(painted(), settings).suggestion.backbone in ("resnet34", "resnet18", "efficientnet-lite0")
    small_container(1000)
    found = estimate(painted(), settings)
    assert found.suggestion is None
    assert "No settings were found" in found.text()
    assert found.seconds is None, "no step was taken where it does not fit"


def test_n14_the_person_can_insist(small_container):
    small_container(1000)
    with pytest.raises(BudgetError):
        train(painted(), quick(epochs=1))
    assert train(painted(), quick(epochs=1), ignore_budget=True).state == "finished"


def test_n14_estimate_counts_tiles_and_steps_and_times_them(small_container):
    small_container(20 * GB)
    settings = quick(epochs=7, steps_per_epoch=5)
    found = estimate(painted(), settings)
    run = start_training(painted(), quick(epochs=1))
    run.wait(60)
    assert found.n_tiles == run.n_train_tiles
    assert (found.steps_per_epoch, found.steps) == (5, 35)
    assert found.fits
    assert found.suggestion is None
    assert 0 < found.seconds < 60
    assert "7 epochs of 5 steps, about" in found.text()
    assert estimate(painted(), settings, measure=False).seconds is None
    assert estimate(painted(), quick(epochs=5000, max_seconds=3.0)).seconds == 3.0


def test_n14_memory_grows_with_what_it_is_made_of():
    request = make_request(painted(), quick())

    def of(**changes):
        return footprint(request, quick(**changes)).host

    assert of(batch_size=16) > of(batch_size=8) > of(batch_size=2)
    assert of(tile_size=256) > of(tile_size=128)
    assert of(freeze="none") > of(freeze="encoder")
    assert of(backbone="resnet50", decoder="full") > of(backbone="resnet18", decoder="full")
    # Another step's worth of tiles is small beside another batch's activations.
    assert of(batch_size=8, freeze="none") > of(batch_size=4, accumulation=2, freeze="none")


@pytest.mark.parametrize("architecture", ["unetplusplus", "deeplabv3", "pan", "segformer", "upernet", "pspnet"])
def test_n14_every_kind_of_network_can_be_estimated(architecture):
    request = make_request(painted(), quick(architecture=architecture))
    assert footprint(request, request.settings).host > 50_000_000


def test_n14_workshop_fits_two_gigabytes():
    settings = TrainingSettings.preset("workshop")
    assert footprint(make_request(painted(), settings), settings).host < 0.5 * GB
