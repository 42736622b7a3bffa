"""A device that is not the processor, without one: tensors that say "cuda" and compute on the processor.

Each tensor of the stand-in holds a real tensor of the processor. As on a GPU, an operation that mixes the two is an
error (except for numbers without dimensions, indices, and copies), and so is reading such a tensor as a NumPy array.
Unlike torch's FakeTensorMode there are values, so that whole runs with their decisions can be followed, and their
results be compared with those of the processor.
"""

import contextlib
import threading

import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

DEVICE = torch.device("cuda")
aten = torch.ops.aten

#: Operations whose tensors may lie on both devices: copies, and indices on the processor.
_MAY_MIX = {
    aten.copy_.default,
    aten._to_copy.default,
    aten.index.Tensor,
    aten.index_put_.default,
    aten.index_put.default,
    aten._index_put_impl_.default,
}


class MixedDevicesError(RuntimeError):
    """An operation got tensors of two devices."""


class OtherTensor(torch.Tensor):
    """A tensor of the stand-in. For torch's own code it is one without memory, so that nothing reads it by chance."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device="meta",
            requires_grad=False,
        )

    def __init__(self, inner):
        self.inner = inner

    def __repr__(self, **options):
        return f"OtherTensor({self.inner!r})"

    @property
    def device(self):
        return DEVICE

    @property
    def is_cuda(self):
        return True

    @property
    def is_meta(self):
        return False

    def numpy(self, **options):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first.")

    __array__ = numpy

    def tolist(self):
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


def _is_other(value):
    return isinstance(value, OtherTensor)


def _means_other(wanted):
    """Return whether a device is the stand-in; torch's own code sees its tensors as ones without memory ("meta")."""
    if wanted is None:
        return False
    kind = torch.device(wanted).type
    return kind == DEVICE.type or (kind == "meta" and torch.get_default_device().type != "meta")


def _run(func, args, kwargs):
    flat = [value for value in pytree.tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
    others = [value for value in flat if _is_other(value)]
    wanted = kwargs.get("device")
    to_other = _means_other(wanted)
    if wanted is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    if others and func not in _MAY_MIX:
        plain = [value for value in flat if not _is_other(value) and value.dim() > 0]
        if plain:
            shapes = ", ".join(f"{'cuda' if _is_other(v) else 'cpu'} {tuple(v.shape)}" for v in flat)
            raise MixedDevicesError(f"Expected all tensors to be on the same device: {func} got {shapes}")
    if func is aten.index.Tensor and others and not _is_other(args[0]):
        raise MixedDevicesError("indices should be on the same device as the indexed tensor (cpu)")
    inner_args, inner_kwargs = pytree.tree_map(lambda v: v.inner if _is_other(v) else v, (args, kwargs))
    answer = func(*inner_args, **inner_kwargs)
    stays = func is aten.copy_.default and not _is_other(args[0])
    if to_other or (others and wanted is None and not stays):
        answer = pytree.tree_map(lambda v: OtherTensor(v) if type(v) is torch.Tensor else v, answer)
        if others:
            return return_and_correct_aliasing(func, args, kwargs, answer)
        return answer
    return args[0] if stays else answer


class OtherDeviceMode(TorchDispatchMode):
    """Makes tensors of the stand-in where code asks for "cuda"."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if _means_other(kwargs.get("device")) or any(_is_other(value) for value in pytree.tree_leaves((args, kwargs))):
            return _run(func, args, kwargs)
        return func(*args, **kwargs)


def _numbered(value):
    """Give the device its number, for which torch would otherwise ask the driver."""
    if isinstance(value, torch.device) and value.type == DEVICE.type and value.index is None:
        return torch.device(DEVICE.type, 0)
    return f"{DEVICE.type}:0" if isinstance(value, str) and value == DEVICE.type else value


class _NumberedMode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = {name: _numbered(value) for name, value in (kwargs or {}).items()}
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            wanted = kwargs.pop("device")  # torch would copy to the device without asking the mode
            return func(*args, **kwargs).to(wanted)
        return func(*(_numbered(value) for value in args), **kwargs)


@contextlib.contextmanager
def _modes():
    with OtherDeviceMode(), _NumberedMode():
        yield


class _ProcessorGenerator(torch.Generator):
    """Random numbers for any device are drawn on the processor."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls, "cpu")


@contextlib.contextmanager
def other_device(monkeypatch):
    """Let torch say that there is a GPU, the stand-in, in this thread and in those that begin meanwhile."""
    start = threading.Thread.run

    def run(thread):
        with _modes():
            start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "run", run)
        patched.setattr(torch, "Generator", _ProcessorGenerator)
        for name, value in {
            "is_available": True,
            "device_count": 1,
            "is_bf16_supported": False,
            "mem_get_info": (8 << 30, 16 << 30),
            "memory_reserved": 0,
            "memory_allocated": 0,
            "max_memory_allocated": 0,
            "get_device_name": "stand-in",
            "get_rng_state": torch.get_rng_state(),
        }.items():
            patched.setattr(torch.cuda, name, lambda *arguments, value=value, **options: value)
        for name in (
            "_lazy_init",
            "synchronize",
            "empty_cache",
            "manual_seed",
            "set_rng_state",
            "reset_peak_memory_stats",
        ):
            patched.setattr(torch.cuda, name, lambda *arguments, **options: None)
        patched.setattr(torch.accelerator, "is_available", lambda: False)  # optimizers ask its driver for streams
        with _modes():
            yield
