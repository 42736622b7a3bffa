"""The form shows every setting, takes what can be used, marks what cannot, and always holds valid settings."""

import threading

import pytest
from ipywidgets.widgets.widget import _instances

from histowidgets.errors import SettingsError, WidgetError
from histowidgets.models import ARCHITECTURES
from histowidgets.training import TrainingSettings
from histowidgets.widgets.settings._field import Field, parse
from histowidgets.widgets.settings._form import SHORT_VIEW, SettingsForm
from histowidgets.widgets.settings._setting_text import as_python, text_of

FIELDS = list(TrainingSettings.model_fields)


@pytest.fixture
def form():
    form = SettingsForm()
    yield form
    form.close()


def page(form, **content):
    """Hand the form a message as it comes from the page."""
    form._handle_custom_msg(content, [])


def test_every_setting_is_on_the_form_with_its_label_and_its_help(form):
    shown = {field["name"]: field for field in form._fields}
    assert set(shown) == set(FIELDS)
    for name, field in shown.items():
        assert field["label"]
        assert field["help"].startswith(TrainingSettings.model_fields[name].description)
    assert [field["name"] for field in form._fields if not field["section"]] == list(SHORT_VIEW)
    assert len({field["label"] for field in form._fields if field["section"] != ""}) == len(FIELDS) - len(SHORT_VIEW)


def test_ranges_units_and_choices_come_from_the_settings(form):
    shown = {field["name"]: field for field in form._fields}
    assert "64 to 1024 in steps of 32" in shown["tile_size"]["help"]
    assert shown["tile_size"]["unit"] == "pixels at the downsample"
    assert len(shown["architecture"]["choices"]) == len(ARCHITECTURES)
    assert shown["downsample"]["choices"] == ["1x", "2x", "4x", "8x"]
    assert "efficientnet-lite0" in shown["backbone"]["choices"]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("preset", TrainingSettings.preset_names())
def test_what_a_field_shows_is_read_back_as_the_same_value(name, preset):
    field, value = Field(name), getattr(TrainingSettings.preset(preset), name)
    back = field.value(field.entry(value))
    assert back == value
    assert type(back) is type(value) or isinstance(value, float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 1.2345678901e-5),
        ("freeze", ("stem", "block1")),
        ("backbone", "tu-convnext_tiny"),
        ("max_seconds", None),
        ("class_weights", {"Lumen": 2.0, 'a, "b" = \\c': 0.5, " edge ": 1.0, "Bénigne": 10.0}),
        ("normalization_per_channel", False),
        ("focus_class", "Gland 1"),
    ],
)
def test_unusual_values_from_python_are_shown_and_kept(form, name, value):
    form.set_settings(TrainingSettings().model_copy(update={name: value}))
    assert form._by_name[name].value(form._state["entries"][name]) == value
    form.enter("seed", "7")
    assert getattr(form.settings, name) == value


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("learning_rate", "5e-3", 0.005),
        ("learning_rate", " 0,002 ", 0.002),
        ("tile_size", "256", 256),
        ("tile_size", "256.0", 256),
        ("max_seconds", "", None),
        ("steps_per_epoch", "12", 12),
        ("focus_class", "", None),
        ("class_weights", "", {}),
        ("class_weights", "Lumen=2, Stroma = 0.5,", {"Lumen": 2.0, "Stroma": 0.5}),
    ],
)
def test_what_people_type_is_understood(form, name, typed, value):
    form.enter(name, typed)
    assert form.invalid == {}
    assert getattr(form.settings, name) == value


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("tile_size", "100", "Use 64 to 1024 in steps of 32. 192 is kept."),
        ("tile_size", "many", "Use 64 to 1024 in steps of 32. 192 is kept."),
        ("tile_size", "", "A value is needed here. 192 is kept."),
        ("epochs", "2.5", "Use 1 to 5000 epochs. 60 is kept."),
        ("learning_rate", "nan", "Use 1e-07 to 1. 0.005 is kept."),
        ("learning_rate", "inf", "Use 1e-07 to 1. 0.005 is kept."),
        ("max_seconds", "0", "Use 1 to 604800 s. 60 is kept."),
        ("class_weights", "Lumen=20", "'Lumen' has 20; weights range from 0.1 to 10. The empty field is kept."),
        ("class_weights", "Lumen", "Write class=weight, such as Lumen=2, Stroma=0.5. The empty field is kept."),
        ("class_weights", "Lumen=x", "'x' is not a number. The empty field is kept."),
    ],
)
def test_a_bad_entry_is_marked_and_the_last_good_value_kept(form, name, typed, message):
    before = form.settings
    form.enter(name, typed)
    assert form.invalid == {name: message}
    assert form.settings == before
    # What was typed stays where it is, to be corrected there.
    assert form._state["entries"][name] == typed
    assert form._state["errors"] == form.invalid


def test_a_corrected_entry_is_taken_and_no_longer_marked(form):
    form.enter("tile_size", "100")
    form.enter("epochs", "30")
    assert (form.settings.tile_size, form.settings.epochs) == (192, 30)
    form.enter("tile_size", "128")
    assert form.invalid == {}
    assert form.settings.tile_size == 128


def test_values_that_are_possible_only_together_are_taken_with_the_last_of_them(form):
    form.enter("normalization", "fixed range")
    assert form.settings.normalization == "percentile_99"
    assert "needs Low value below High value" in form.invalid["normalization"]
    assert "normalization_low" not in form._state["idle"]
    form.enter("normalization_low", "0")
    assert form.settings.normalization == "percentile_99"
    form.enter("normalization_high", "4095")
    assert form.invalid == {}
    assert form.settings.normalization == "fixed_range"
    assert form.settings.normalization_high == 4095


def test_fields_that_change_nothing_are_idle(form):
    assert {"normalization_low", "normalization_high", "focal_gamma"} <= set(form._state["idle"])
    form.enter("loss", "focal + Dice")
    assert "focal_gamma" not in form._state["idle"]
    form.enter("augmentation", False)
    assert {"flip", "stain_jitter", "elastic"} <= set(form._state["idle"])
    assert "augmentation" not in form._state["idle"]


def test_a_preset_is_applied_whole_and_shown_as_changed_after_an_edit(form):
    page(form, kind="preset", name="first-run")
    assert form.settings == TrainingSettings.preset("first-run")
    assert form.preset == "first-run"
    form.enter("epochs", "20")
    assert form.preset == "first-run (changed)"
    assert form._state["changed"] == ["epochs"]
    page(form, kind="preset", name="first-run")
    assert form.preset == "first-run"
    assert form.settings.epochs == 50


def test_a_preset_is_undone_with_one_click_and_patches_one_after_the_other(form):
    page(form, kind="enter", name="epochs", entry="33")
    before, preset = form.settings, form.preset
    page(form, kind="preset", name="first-run")
    number = form.patch({"learning_rate": 1e-4})
    assert form.can_undo(number)
    page(form, kind="undo")
    assert form.settings == TrainingSettings.preset("first-run")
    assert not form.can_undo(number)
    assert form._state["canUndo"]
    page(form, kind="undo")
    assert (form.settings, form.preset) == (before, preset)
    page(form, kind="preset", name=form._preset)
    page(form, kind="undo")
    assert form.settings == before, "back to the preset as it was, and back again"


def test_settings_from_python_find_the_preset_they_come_from():
    form = SettingsForm(TrainingSettings.preset("large").model_copy(update={"seed": 3}))
    assert form.preset == "large (changed)"
    form.set_settings(TrainingSettings.preset("cpu"))
    assert form.preset == "cpu"
    form.close()


def test_a_patch_is_applied_and_taken_back_without_touching_other_edits(form):
    form.enter("learning_rate", "0.1")
    form.patch({"learning_rate": 1e-4, "freeze": "none"})
    assert (form.settings.learning_rate, form.settings.freeze) == (1e-4, "none")
    assert form._state["canUndo"]
    form.enter("epochs", "12")
    form.undo_patch()
    assert (form.settings.learning_rate, form.settings.freeze, form.settings.epochs) == (0.1, "encoder", 12)
    assert not form._state["canUndo"]
    form.undo_patch()
    assert form.settings.learning_rate == 0.1


def test_a_patch_corrects_what_was_entered_badly(form):
    form.enter("tile_size", "7")
    form.patch({"tile_size": 256})
    assert form.invalid == {}
    assert form._state["entries"]["tile_size"] == "256"


def test_an_impossible_patch_changes_nothing(form):
    before = form.settings
    with pytest.raises(SettingsError, match="tile_size"):
        form.patch({"epochs": 3, "tile_size": 7})
    assert form.settings == before
    assert not form._state["canUndo"]


def test_listeners_hear_each_change_once_and_only_changes(form):
    heard = []
    unsubscribe = form.on_change(heard.append)
    form.enter("epochs", "10")
    form.enter("epochs", "10")
    form.enter("epochs", "ten")
    form.patch({"epochs": 11})
    form.undo_patch()
    form.set_settings(TrainingSettings.preset("workshop"))
    assert [settings.epochs for settings in heard] == [10, 11, 10, 60]
    assert heard[-1] == form.settings
    unsubscribe()
    unsubscribe()
    form.enter("epochs", "20")
    assert len(heard) == 4


def test_a_listener_that_fails_is_logged_and_the_next_one_hears(form, caplog):
    heard = []
    form.on_change(lambda settings: 1 / 0)
    form.on_change(heard.append)
    form.enter("epochs", "10")
    assert len(heard) == 1
    assert "listener of the settings form failed" in caplog.text


def test_a_listener_may_read_and_change_the_form_from_another_thread(form):
    done = []

    def read(settings):
        thread = threading.Thread(target=lambda: done.append((form.settings.epochs, form.invalid)))
        thread.start()
        thread.join(timeout=5)

    form.on_change(read)
    form.enter("epochs", "10")
    assert done == [(10, {})]


def test_entries_from_several_threads_are_all_taken(form):
    def write(name, values):
        for value in values:
            page(form, kind="enter", name=name, entry=str(value))

    threads = [
        threading.Thread(target=write, args=("epochs", range(1, 101))),
        threading.Thread(target=write, args=("seed", range(1, 101))),
        threading.Thread(target=write, args=("batch_size", [1, 2, 0, 4] * 25)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (form.settings.epochs, form.settings.seed, form.settings.batch_size) == (100, 100, 4)
    assert form._state["entries"]["epochs"] == "100"


def test_the_page_cannot_write_the_forms_own_state(form):
    before = form._state
    page(form, kind="enter", name="no such field", entry="1")
    page(form, kind="enter", name="epochs")
    page(form, kind="preset", name="no such preset")
    page(form, kind="something else")
    form._handle_custom_msg("not even a dict", [])
    assert form.settings == TrainingSettings.preset("cpu")
    assert form._state["preset"] == before["preset"]


def test_a_disabled_form_takes_nothing_from_the_page(form):
    form.disabled = True
    assert form.disabled
    assert form._state["disabled"]
    page(form, kind="enter", name="epochs", entry="5")
    assert form.settings.epochs == 60
    form.patch({"epochs": 5})
    assert form.settings.epochs == 5


@pytest.mark.parametrize("preset", TrainingSettings.preset_names())
def test_n12_copied_python_makes_the_same_settings(form, preset):
    form.set_settings(TrainingSettings.preset(preset))
    form.patch({"learning_rate": 3e-4, "freeze": ("stem",), "class_weights": {'"': 2.0}, "max_seconds": 12.5})
    code = form.python_code
    assert code == form._state["code"]
    assert "epochs" not in code
    names = {}
    exec(code, {"__builtins__": __builtins__}, names)
    assert names["settings"] == form.settings


def test_python_for_a_preset_is_one_plain_call():
    code = as_python(TrainingSettings.preset("cpu"), "cpu")
    assert code == "import histowidgets as hw\n\nsettings = hw.TrainingSettings.preset('cpu')\n"


def test_text_and_value_are_inverse_for_numbers():
    for value in (0.1 + 0.2, 1e-7, 180.0, 4095.0, 123456.789):
        assert parse("learning_rate", text_of(value)) == value


def test_what_is_no_settings_is_refused(form):
    for wrong in ({"epochs": 3}, None, "cpu"):
        with pytest.raises(WidgetError, match="shows a TrainingSettings"):
            form.set_settings(wrong)
    with pytest.raises(WidgetError, match="no field 'epoch'"):
        form.enter("epoch", "3")


def test_the_form_is_one_widget_and_close_leaves_none():
    before = set(_instances)
    form = SettingsForm()
    assert len(set(_instances) - before) <= 2
    form.on_change(lambda settings: pytest.fail("a closed form tells nobody"))
    form.close()
    form.close()
    assert set(_instances) == before
    form.patch({"epochs": 3})


def test_labels_fit_their_column(form):
    # 112 px hold about 16 characters of the interface's font.
    assert max(len(field["label"]) for field in form._fields) <= 16


def test_every_section_of_the_settings_is_reached(form):
    sections = {(field.json_schema_extra or {}).get("section") for field in TrainingSettings.model_fields.values()}
    shown = {field["section"] for field in form._fields} - {""}
    assert shown <= sections
    assert {form._by_name[name].section for name in FIELDS} == sections
