"""The literature that a methods paragraph may cite, and the numbers of what it does cite."""

from histowidgets import __version__

REFERENCES = {
    "histowidgets": f"The histowidgets developers. histowidgets, version {__version__} [computer software]. "
    "https://github.com/histowidgets/histowidgets",
    "pytorch": "Paszke A, et al. PyTorch: an imperative style, high-performance deep learning library. NeurIPS, 2019.",
    "smp": "Iakubovskii P. Segmentation Models PyTorch [computer software]. "
    "https://github.com/qubvel-org/segmentation_models.pytorch",
    "timm": "Wightman R. PyTorch Image Models [computer software]. https://github.com/huggingface/pytorch-image-models",
    "unet": "Ronneberger O, Fischer P, Brox T. U-Net: convolutional networks for biomedical image segmentation. "
    "MICCAI, 2015.",
    "unetplusplus": "Zhou Z, et al. UNet++: a nested U-Net architecture for medical image segmentation. DLMIA, 2018.",
    "manet": "Fan T, et al. MA-Net: a multi-scale attention network for liver and tumor segmentation. IEEE Access, "
    "2020.",
    "linknet": "Chaurasia A, Culurciello E. LinkNet: exploiting encoder representations for efficient semantic "
    "segmentation. VCIP, 2017.",
    "fpn": "Kirillov A, Girshick R, He K, Dollár P. Panoptic feature pyramid networks. CVPR, 2019.",
    "pan": "Li H, Xiong P, An J, Wang L. Pyramid attention network for semantic segmentation. BMVC, 2018.",
    "pspnet": "Zhao H, Shi J, Qi X, Wang X, Jia J. Pyramid scene parsing network. CVPR, 2017.",
    "deeplabv3": "Chen LC, Papandreou G, Schroff F, Adam H. Rethinking atrous convolution for semantic image "
    "segmentation. arXiv:1706.05587, 2017.",
    "deeplabv3plus": "Chen LC, Zhu Y, Papandreou G, Schroff F, Adam H. Encoder-decoder with atrous separable "
    "convolution for semantic image segmentation. ECCV, 2018.",
    "upernet": "Xiao T, Liu Y, Zhou B, Jiang Y, Sun J. Unified perceptual parsing for scene understanding. ECCV, 2018.",
    "segformer": "Xie E, et al. SegFormer: simple and efficient design for semantic segmentation with transformers. "
    "NeurIPS, 2021.",
    "dpt": "Ranftl R, Bochkovskiy A, Koltun V. Vision transformers for dense prediction. ICCV, 2021.",
    "efficientnet": "Tan M, Le QV. EfficientNet: rethinking model scaling for convolutional neural networks. ICML, "
    "2019.",
    "resnet": "He K, Zhang X, Ren S, Sun J. Deep residual learning for image recognition. CVPR, 2016.",
    "mobilenet_v2": "Sandler M, Howard A, Zhu M, Zhmoginov A, Chen LC. MobileNetV2: inverted residuals and linear "
    "bottlenecks. CVPR, 2018.",
    "imagenet": "Deng J, Dong W, Socher R, Li LJ, Li K, Fei-Fei L. ImageNet: a large-scale hierarchical image "
    "database. CVPR, 2009.",
    "adamw": "Loshchilov I, Hutter F. Decoupled weight decay regularization. ICLR, 2019.",
    "dice": "Milletari F, Navab N, Ahmadi SA. V-Net: fully convolutional neural networks for volumetric medical image "
    "segmentation. 3DV, 2016.",
    "focal": "Lin TY, Goyal P, Girshick R, He K, Dollár P. Focal loss for dense object detection. ICCV, 2017.",
    "lovasz": "Berman M, Triki AR, Blaschko MB. The Lovász-softmax loss: a tractable surrogate for the optimization "
    "of the intersection-over-union measure in neural networks. CVPR, 2018.",
    "hard": "Shrivastava A, Gupta A, Girshick R. Training region-based object detectors with online hard example "
    "mining. CVPR, 2016.",
    "one-cycle": "Smith LN, Topin N. Super-convergence: very fast training of neural networks using large learning "
    "rates. arXiv:1708.07120, 2018.",
    "cosine": "Loshchilov I, Hutter F. SGDR: stochastic gradient descent with warm restarts. ICLR, 2017.",
    "range-test": "Smith LN. Cyclical learning rates for training neural networks. WACV, 2017.",
    "mean-teacher": "Tarvainen A, Valpola H. Mean teachers are better role models: weight-averaged consistency "
    "targets improve semi-supervised deep learning results. NeurIPS, 2017.",
    "stain": "Reinhard E, Ashikhmin M, Gooch B, Shirley P. Color transfer between images. IEEE Computer Graphics and "
    "Applications, 2001.",
    "deconvolution": "Ruifrok AC, Johnston DA. Quantification of histochemical staining by color deconvolution. "
    "Analytical and Quantitative Cytology and Histology, 2001.",
    "stain-jitter": "Tellez D, et al. Whole-slide mitosis detection in H&E breast histology using PHH3 as a reference "
    "to train distilled stain-invariant convolutional networks. IEEE Transactions on Medical Imaging, 2018.",
    "elastic": "Simard PY, Steinkraus D, Platt JC. Best practices for convolutional neural networks applied to visual "
    "document analysis. ICDAR, 2003.",
    "ensemble": "Hansen LK, Salamon P. Neural network ensembles. IEEE Transactions on Pattern Analysis and Machine "
    "Intelligence, 1990.",
    "calibration": "Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML, 2017.",
    "wilson": "Wilson EB. Probable inference, the law of succession, and statistical inference. Journal of the "
    "American Statistical Association, 1927.",
    "olofsson": "Olofsson P, et al. Good practices for estimating area and assessing accuracy of land change. Remote "
    "Sensing of Environment, 2014.",
}


class Citations:
    """Numbers references in the order in which they are first cited."""

    def __init__(self) -> None:
        self._cited: list[str] = []

    def __call__(self, *keys: str) -> str:
        """Cite some works, and return their numbers for the text, such as " [2, 3]"; unknown ones are left out."""
        known = [key for key in keys if key in REFERENCES]
        self._cited += [key for key in known if key not in self._cited]
        return f" [{', '.join(str(self._cited.index(key) + 1) for key in known)}]" if known else ""

    @property
    def listed(self) -> list[str]:
        """The works that were cited, in order."""
        return [REFERENCES[key] for key in self._cited]
