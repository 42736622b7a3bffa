"""The backbones and architectures on offer, as plain data (no torch)."""

import html
from dataclasses import dataclass
from typing import Literal, get_args

Architecture = Literal[
    "unet",
    "unetplusplus",
    "manet",
    "linknet",
    "fpn",
    "pan",
    "pspnet",
    "deeplabv3",
    "deeplabv3plus",
    "upernet",
    "segformer",
    "dpt",
]

ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
"""The architectures, by their names in segmentation-models-pytorch.

All except "dpt" work with any backbone that `backbones` lists by default; "dpt" works with vision transformers, and
these work only with "dpt".
"""

DEFAULT_BACKBONE = "efficientnet-lite0"
"""The backbone whose weights are part of the installation, used if others cannot be downloaded."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
_LUNIT_MEAN = (0.70322989, 0.53606487, 0.66096631)
_LUNIT_STD = (0.21716536, 0.26081574, 0.20723464)
"""Mean and standard deviation of the patches that Lunit's weights were trained on (Kang et al. 2023)."""


@dataclass(frozen=True)
class Backbone:
    """An encoder for a network, and where its weights come from.

    Attributes
    ----------
    name : str
        The name to write in ``TrainingSettings.backbone``.
    encoder : str
        Its name in segmentation-models-pytorch.
    parameters : int or None
        Number of parameters of the encoder; None if they were not counted.
    licence : str
        Licence of the weights.
    weights : {"bundled", "package", "hub", "none"}
        Where the pretrained weights are: in the installation, in a package of the extra ``backbones``, on the Hugging
        Face hub, or nowhere.
    mean, std : tuple of float
        The input scaling of the weights for red, green and blue in [0, 1].
    note : str
        When to choose it.
    commercial_use : bool or None
        Whether the licence of the weights allows commercial use; None if unknown.
    repository : str
        Repository of the weights on the hub, if not the one that smp or timm use for `encoder`.
    revision : str
        The commit of `repository` to use, 40 hexadecimal digits; "" for its main branch. The description of the weights
        in the network and its classifier then names the commit.
    family : {"pyramid", "transformer"}
        Whether the encoder halves the image five times, as most do, or cuts it into patches.
    foundation : bool
        Whether it is a large encoder that was trained on millions of patches without labels; use it frozen.
    arguments : tuple of (str, float or str)
        Arguments for timm to build it; ``mlp_layer`` is the name of a class in ``timm.layers``.
    patch : int
        Side of a transformer's patches, in pixels. The architecture "dpt" needs 16; the quick learner takes any.
    gated : bool
        Whether the hub gives the weights only to accounts that were granted access.
    """

    name: str
    encoder: str
    parameters: int | None
    licence: str
    weights: Literal["bundled", "package", "hub", "none"]
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    note: str = ""
    commercial_use: bool | None = True
    repository: str = ""
    revision: str = ""
    family: Literal["pyramid", "transformer"] = "pyramid"
    foundation: bool = False
    arguments: tuple[tuple[str, float | str], ...] = ()
    patch: int = 16
    gated: bool = False


_CARDS = (
    Backbone(
        DEFAULT_BACKBONE,
        "timm-tf_efficientnet_lite0",
        3_371_008,
        "Apache-2.0",
        "bundled",
        HALF,
        HALF,
        "Works offline; the fastest good choice without a GPU.",
    ),
    Backbone("resnet18", "resnet18", 11_176_512, "BSD-3-Clause", "hub", note="Small and robust; for few tiles."),
    Backbone(
        "resnet34",
        "resnet34",
        21_284_672,
        "BSD-3-Clause",
        "hub",
        note="A good starting point for most images on a GPU.",
    ),
    Backbone(
        "resnet50",
        "resnet50",
        23_508_032,
        "BSD-3-Clause",
        "hub",
        note="For thousands of tiles and 12 GB of GPU memory or more.",
    ),
    Backbone(
        "efficientnet-b0",
        "efficientnet-b0",
        4_007_548,
        "Apache-2.0",
        "hub",
        note="Few parameters; for few tiles or little GPU memory.",
    ),
    Backbone("efficientnet-b1", "efficientnet-b1", 6_513_184, "Apache-2.0", "hub", note="Between b0 and b2."),
    Backbone(
        "efficientnet-b2", "efficientnet-b2", 7_700_994, "Apache-2.0", "hub", note="The largest of b0, b1 and b2."
    ),
    Backbone("mobilenet_v2", "mobilenet_v2", 2_223_872, "BSD-3-Clause", "hub", note="Small, and fast at prediction."),
    Backbone(
        "mobilenetv3-small",
        "tu-mobilenetv3_small_100",
        927_008,
        "Apache-2.0",
        "hub",
        note="The smallest, and the fastest at prediction.",
    ),
    Backbone(
        "efficientnet-lite1",
        "timm-tf_efficientnet_lite1",
        4_135_680,
        "Apache-2.0",
        "package",
        HALF,
        HALF,
        "Works offline with histowidgets[backbones]; a little larger than lite0.",
    ),
    Backbone(
        "efficientnet-lite2",
        "timm-tf_efficientnet_lite2",
        4_811_072,
        "Apache-2.0",
        "package",
        HALF,
        HALF,
        "Works offline with histowidgets[backbones]; the largest that does.",
    ),
    # For H&E at about 20x. Advice recommends the first, so it is the one with the fewest restrictions.
    Backbone(
        "resnet50-kather100k",
        "resnet50",
        23_508_032,
        "CC-BY-4.0",
        "hub",
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
        "Trained on histology: nine tissues of colorectal H&E (TIAToolbox).",
        repository="1aurent/resnet50.tiatoolbox-kather100k",
        revision="88faf0e597b0033800a0b4b96e65173a47606d4e",
    ),
    Backbone(
        "resnet50-tcga-brca",
        "resnet50",
        23_508_032,
        "GPL-3.0",
        "hub",
        note="Trained on histology without labels: breast cancer of TCGA (SimCLR).",
        repository="1aurent/resnet50.tcga_brca_simclr",
        revision="203abd98067cd423e70c0d9faf8d8059f0447cb0",
    ),
    Backbone(
        "resnet50-lunit-swav",
        "resnet50",
        23_508_032,
        "Lunit, non-commercial",
        "hub",
        _LUNIT_MEAN,
        _LUNIT_STD,
        "Trained on histology without labels: 19 million patches of TCGA (SwAV).",
        commercial_use=False,
        repository="1aurent/resnet50.lunit_swav",
        revision="3f4002f7007e656fa8f85c0e2caff2f23a585f85",
    ),
    Backbone(
        "resnet50-lunit-bt",
        "resnet50",
        23_508_032,
        "Lunit, non-commercial",
        "hub",
        _LUNIT_MEAN,
        _LUNIT_STD,
        "Trained on histology without labels: 19 million patches of TCGA (Barlow Twins).",
        commercial_use=False,
        repository="1aurent/resnet50.lunit_bt",
        revision="8d79259aa6356d88e85c17eb35184e2d75661325",
    ),
)


_NO_HEAD = ("num_classes", 0)
_LAYER_SCALE = ("init_values", 1e-5)
_SWIGLU = (("mlp_layer", "SwiGLUPacked"), ("act_layer", "silu"))

# The licences and arguments are those of the model cards on the hub; a revision is a commit that the hub lists, or that
# published code of several groups names (docs/reference/backbones.md).
_FOUNDATION = (
    Backbone(
        "phikon",
        "tu-vit_base_patch16_224",
        85_798_656,
        "Owkin, non-commercial",
        "hub",
        note="Foundation encoder for H&E at 20x: 40 million patches of TCGA (iBOT; Filiot et al. 2023).",
        commercial_use=False,
        repository="1aurent/vit_base_patch16_224.owkin_pancancer",
        revision="3fc9281f2bc722315154278e600a2dc437454c82",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD,),
    ),
    Backbone(
        "uni",
        "tu-vit_large_patch16_224",
        303_350_784,
        "CC-BY-NC-ND-4.0, non-commercial",
        "hub",
        note="Foundation encoder for H&E at 20x: 100 million patches (DINOv2; Chen et al. 2024). Request access first.",
        commercial_use=False,
        repository="MahmoodLab/UNI",
        revision="77ffbca1ee1cdcee6e87f6deebd2db8a5888c721",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE),
        gated=True,
    ),
    Backbone(
        "phikon-v2",
        "tu-vit_large_patch16_224",
        303_350_784,
        "Owkin, non-commercial",
        "hub",
        note="Foundation encoder for H&E at 20x: 460 million patches (DINOv2; Filiot et al. 2024).",
        commercial_use=False,
        repository="owkin/phikon-v2",
        revision="2ae989a9c40cffaa27f0a6cb29cc94d1d6f9a5fd",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE),
    ),
    Backbone(
        "virchow",
        "tu-vit_huge_patch14_224",
        631_229_184,
        "Apache-2.0",
        "hub",
        note="Foundation encoder for H&E at 20x: 1.5 million slides (DINOv2; Vorontsov et al. 2024). "
        "Request access first. For the quick learner.",
        repository="paige-ai/Virchow",
        revision="19eebc84ae33e79f1b2d866e6ff90ae50e522f9a",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE, ("mlp_ratio", 5.3375), *_SWIGLU),
        patch=14,
        gated=True,
    ),
    Backbone(
        "virchow2",
        "tu-vit_huge_patch14_224",
        631_239_424,
        "CC-BY-NC-ND-4.0, non-commercial",
        "hub",
        note="Foundation encoder for H&E and other stains at 5x to 40x: 3.1 million slides (DINOv2; Zimmermann et al. "
        "2024). Request access first. For the quick learner.",
        commercial_use=False,
        repository="paige-ai/Virchow2",
        revision="3158645804b69e3f3bc4439d4116edddf0840a72",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE, ("reg_tokens", 4), ("mlp_ratio", 5.3375), *_SWIGLU),
        patch=14,
        gated=True,
    ),
    Backbone(
        "h-optimus-0",
        "tu-vit_giant_patch14_reg4_dinov2",
        1_134_774_272,
        "Apache-2.0",
        "hub",
        (0.707223, 0.578729, 0.703617),
        (0.211883, 0.230117, 0.177517),
        "Foundation encoder for H&E at 20x: half a million slides (DINOv2; Saillard et al. 2024). "
        "Request access first. For the quick learner.",
        repository="bioptimus/H-optimus-0",
        revision="b145cc1e6c6b30d3251aa8b1f844e6974188a743",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE, ("img_size", 224)),
        patch=14,
        gated=True,
    ),
    Backbone(
        "midnight",
        "tu-vit_giant_patch14_dinov2",
        1_134_769_664,
        "MIT",
        "hub",
        HALF,
        HALF,
        "Foundation encoder for H&E at 20x: 12,000 slides of TCGA (DINOv2; Karasikov et al. 2025). "
        "For the quick learner.",
        repository="kaiko-ai/midnight",
        revision="adc6b15679c981cce6f9b018bbad09d16eeeda9f",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD, _LAYER_SCALE, ("img_size", 224)),
        patch=14,
    ),
    Backbone(
        "dinov2-small",
        "tu-vit_small_patch14_dinov2",
        22_056_192,
        "Apache-2.0",
        "hub",
        note="General foundation encoder: 142 million photographs (DINOv2; Oquab et al. 2024). For the quick learner.",
        repository="timm/vit_small_patch14_dinov2.lvd142m",
        revision="4476dc0c66daca2ef4a40d2625b4a7063f02b685",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD,),
        patch=14,
    ),
    Backbone(
        "dinov3-small",
        "tu-vit_small_patch16_dinov3",
        21_586_944,
        "DINOv3 License",
        "hub",
        note="General foundation encoder: 1.7 billion photographs (DINOv3; Siméoni et al. 2025).",
        commercial_use=None,
        repository="timm/vit_small_patch16_dinov3.lvd1689m",
        family="transformer",
        foundation=True,
        arguments=(_NO_HEAD,),
    ),
)


class Backbones(list[Backbone]):
    """A list of backbones; a notebook shows it as a table."""

    def _repr_html_(self) -> str:
        heads = ("backbone", "parameters", "licence of the weights", "commercial use", "weights", "when")
        rows = [
            (
                card.name,
                "" if card.parameters is None else f"{card.parameters / 1e6:.1f} M",
                card.licence,
                {True: "yes", False: "no", None: "not known"}[card.commercial_use],
                f"{card.repository or card.weights}{', gated' if card.gated else ''}",
                card.note,
            )
            for card in self
        ]
        head = "".join(f'<th scope="col">{text}</th>' for text in heads)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def backbones(foundation: bool = False) -> Backbones:
    """List the backbones on offer, the bundled one first; a notebook shows the list as a table.

    The name of any other encoder of segmentation-models-pytorch or timm is also accepted as a backbone.

    Parameters
    ----------
    foundation : bool
        Whether to include the foundation encoders, which are used frozen: by the quick learner, or with the
        architecture "dpt" if their patches have 16 pixels. The large ones need a GPU.
    """
    return Backbones([*_CARDS, *(_FOUNDATION if foundation else ())])
