"""The settings tab: the form by the keyboard, a recommendation taken and undone, layers, class weights."""

from tests.browser.studio_hand import StudioHand

CELL = """
import histowidgets as hw
settings = hw.TrainingSettings(backbone="mobilenetv3-small")
studio = hw.Studio(hw.samples.colon_ihc(), classes=["Epithelium", "Stroma", "Lumen"], settings=settings, fresh=True)
name = studio.project.image_names[0]
for y in (60, 180, 300, 420):
    studio.project.annotate(name, hw.Stroke([(40, y), (120, y)], width=12), "Epithelium")
    studio.project.annotate(name, hw.Stroke([(300, y), (380, y)], width=12), "Stroma")
studio.project.annotate(name, hw.Stroke([(440, 410), (446, 416)], width=4), "Lumen")
studio
"""


def test_the_form_a_recommendation_and_the_layers_by_hand(open_notebook):
    notebook = open_notebook([CELL], width=1600, height=1250)
    notebook.run_all()
    hand = StudioHand(notebook)
    page = notebook.page
    hand.open_tab("Settings")
    page.locator(".hw-summary-words", has_text="at most").wait_for()
    assert "at most 60 s" in page.locator(".hw-summary-words").inner_text()
    before = notebook.value("studio.form.settings.model_dump(mode='json')")

    # A recommendation: what it says, taken over, and undone.
    page.get_by_role("button", name="Recommend").click()
    page.locator(".hw-recommend li").first.wait_for()
    assert "The pixels suggest" in page.locator(".hw-recommend").inner_text()
    notebook.screenshot("settings-recommend-light")
    notebook.set_theme(dark=True)  # from here on in the other theme
    notebook.screenshot("settings-recommend-dark")
    page.locator(".hw-recommend-clicks").get_by_role("button", name="Apply").click()
    notebook.wait_for_value("studio.form.settings == studio._settings_tab.recommend.recommendation.settings", True)
    wanted = notebook.value("studio.form.settings.backbone")
    notebook.wait_for("(b) => document.querySelector('[data-name=backbone] select').value === b", wanted)
    page.locator(".hw-recommend-clicks").get_by_role("button", name="Undo").click()
    notebook.wait_for_value("studio.form.settings.model_dump(mode='json')", before)
    page.get_by_label("Images", exact=True).select_option("fluorescence")
    page.locator(".hw-recommend", has_text="tiles of fluorescence").wait_for()

    # Layers: a checkbox, by its key, is the setting; the count is live.
    page.locator("summary", has_text="Network").press("Enter")
    count = page.locator(".hw-groups > .hw-muted")
    count.filter(has_text="of 1.4 M parameters are trained").wait_for(timeout=60_000)
    all_frozen = count.inner_text()
    block = page.locator(".hw-group-list label", has_text="block3").locator("input")
    assert block.is_checked()
    block.press("Space")
    notebook.wait_for_value("'block3' in studio.form.settings.freeze", False)
    words = "document.querySelector('.hw-groups > .hw-muted').textContent"
    notebook.wait_for(f"(t) => {words} !== t", all_frozen, seconds=60)
    page.get_by_label("Frozen", exact=True).select_option("nothing")
    notebook.wait_for("() => [...document.querySelectorAll('.hw-group-list input')].every((one) => !one.checked)")

    # Class weights: one that cannot be stays marked, the good ones hold; balanced once, and undone.
    page.locator("summary", has_text="Training").press("Enter")
    lumen = page.locator(".hw-weight-list").get_by_label("Lumen")
    lumen.fill("20")
    lumen.press("Tab")
    page.locator("[data-name=class_weights] .hw-field-error", has_text="from 0.1 to 10").wait_for()
    assert lumen.input_value() == "20"
    assert notebook.value("studio.form.settings.class_weights") == {}
    lumen.fill("2,5")
    lumen.press("Tab")
    notebook.wait_for_value("studio.form.settings.class_weights", {"Lumen": 2.5})
    page.get_by_role("button", name="Balance once").click()
    notebook.wait_for_value("studio.form.settings.class_weights.get('Lumen')", 10.0)
    page.get_by_role("button", name="Balanced").wait_for()
    notebook.screenshot("settings-form-dark")
    notebook.set_theme(dark=False)
    notebook.screenshot("settings-form-light")
    page.locator(".hw-summary").get_by_role("button", name="Undo").click()
    notebook.wait_for_value("studio.form.settings.class_weights", {"Lumen": 2.5})
    notebook.execute("studio.close()")
