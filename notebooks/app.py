# %%
# An app for workshops: a studio for each visitor, served by Voilà. How: docs/how-to/colab-binder-cluster.md
import html
import os
import re
import secrets
from pathlib import Path
from urllib.parse import parse_qs

from IPython.display import HTML, display

import histowidgets as hw

sessions = Path("sessions")  # each visitor has a folder in it

# The address may end in ?name=anna; a visitor without a name is given one.
asked = parse_qs(os.environ.get("QUERY_STRING", "")).get("name", [""])[0]
name = re.sub(r"[^\w-]+", "-", asked)[:40].strip("-_") or secrets.token_hex(4)

studio = hw.Studio(
    hw.samples.colon_ihc(),
    classes=["Epithelium", "Stroma", "Lumen"],
    folder=sessions / name,
    settings=hw.TrainingSettings.preset("workshop"),
)
display(HTML(f'<p>Your work is kept. Come back to it at <a href="?name={html.escape(name)}">this address</a>.</p>'))
studio
