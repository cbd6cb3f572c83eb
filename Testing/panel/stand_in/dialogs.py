"""What replaces the parts of `slicer.util` that ask or tell the user something, or reach the network."""


def replacements():
    """Functions by their names in `slicer.util`, and the lists they work with."""
    displayed, answers, selected = [], [], []

    def display(kind):
        def show(text, *arguments, **options):
            displayed.append((kind, text))
            return answers.pop(0) if answers else True

        return show

    def pip_install(requirements, **options):
        raise RuntimeError("no network in tests")

    kinds = ("error", "info", "warning", "confirmOkCancel", "confirmYesNo", "confirmRetryClose")
    return {
        "displayed": displayed,
        "answers": answers,
        "selected_modules": selected,
        "selectModule": selected.append,
        "selectedModule": lambda: selected[-1] if selected else "",
        "delayDisplay": lambda text, *arguments, **options: None,
        "pip_install": pip_install,
        **{kind + "Display": display(kind) for kind in kinds},
    }
