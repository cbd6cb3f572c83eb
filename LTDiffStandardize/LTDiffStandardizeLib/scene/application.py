"""The base classes and the translation of the Slicer application, and what its two modules say about themselves.

slicer-core, the PyPI package of Slicer's scene, has neither: there the classes are `object` and texts stay as they are,
so that the module files can be imported and their logic used without the application.
"""
try:
    from slicer.i18n import tr as _
    from slicer.i18n import translate
    from slicer.ScriptedLoadableModule import (
        ScriptedLoadableModule,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
        ScriptedLoadableModuleWidget,
    )
except ImportError:
    ScriptedLoadableModule = ScriptedLoadableModuleLogic = object
    ScriptedLoadableModuleTest = ScriptedLoadableModuleWidget = object

    def _(text):
        return text

    def translate(context, text):
        return text


def when_started(function):
    """Calls the function when the application has started; never without the application."""
    import slicer

    if hasattr(slicer, "app"):
        slicer.app.connect("startupCompleted()", function)


HOMEPAGE = "https://github.com/LTDiff/SlicerLTDiff"
PAPER = "https://arxiv.org/abs/2410.04000"


def describe(parent, title, help_text):
    """Fills in what Slicer shows of a module: its title and help, and what both modules of the extension share."""
    parent.title = title
    parent.categories = [translate("qSlicerAbstractCoreModule", "Image Synthesis")]
    parent.contributors = ["LTDiff developers"]
    research_use = _("For research use only; not a medical device.")
    documentation = _("See the <a href='{homepage}'>documentation</a>.").format(homepage=HOMEPAGE)
    parent.helpText = " ".join([help_text, research_use, documentation])
    parent.acknowledgementText = _(
        "The method follows R. T. Sadia, J. Zhang and J. Chen, <i>Multiscale Latent Diffusion Model for Enhanced "
        "Feature Extraction from Medical Images</i>, <a href='{paper}'>arXiv:2410.04000</a>."
    ).format(paper=PAPER)
