"""The feature database as a file: export what is shown, import one."""

from functools import partial

import streamlit as st

from lib import tables
from lib.sae.database import FeatureDatabase, database_bytes, make_database, read_database
from lib.ui import downloads
from lib.ui.file_names import file_name
from lib.ui.messages import counted, plain
from lib.ui.sae import labels_in_force
from lib.ui.sae.browser_cached import Part, part_of
from lib.ui.sae_space import SaeSpace

_TAKEN = "_browser_imported"
_MEGABYTES = 64
_FORMATS = (("Parquet", ".parquet", "application/vnd.apache.parquet"), ("JSON", ".json", "application/json"))


def show_files(space: SaeSpace, part: Part, database: FeatureDatabase | None) -> None:
    """Draw the downloads and the upload; a database is of all texts, whatever `part` of them is looked at."""
    with st.expander("Feature database: export, import"):
        st.caption(
            "One row a feature: label, how it was made, its score and the corpus that was measured on, statistics on "
            "all texts of this corpus, stability where it is known. No texts of the corpus are in it. It belongs to "
            "this dictionary alone."
        )
        with st.container(horizontal=True):
            for name, suffix, mime in _FORMATS:
                st.download_button(
                    name, data=partial(_file, space, database, suffix), file_name=file_name("features", suffix[1:]),
                    mime=mime, icon=":material/download:", key=f"browser_export{suffix}", on_click="ignore",
                )  # fmt: skip
            st.download_button(
                "CSV", data=lambda: tables.csv(_exported(space, database).table.rename_axis("feature"), index=True),
                file_name=file_name("features", "csv"), mime="text/csv", icon=":material/download:",
                key="browser_export_csv", on_click="ignore",
            )  # fmt: skip
        downloads.offer_result(part.statistics, name="feature_statistics", label="Statistics shown, as JSON")
        _import(space)


def _file(space: SaeSpace, database: FeatureDatabase | None, suffix: str) -> bytes:
    return database_bytes(_exported(space, database), suffix)


def _exported(space: SaeSpace, database: FeatureDatabase | None) -> FeatureDatabase:
    """Statistics of all texts of this corpus with the labels that are shown."""
    made = make_database(space.sae, part_of(space, None).statistics, corpus=space.space.corpus.name)
    return made if database is None else made.with_known(database)


def _import(space: SaeSpace) -> None:
    file = st.file_uploader(
        "Import a database", type=["parquet", "json"], key="browser_import", max_upload_size=_MEGABYTES,
        help="One that was exported for this very dictionary. Its labels are shown in this session.",
    )  # fmt: skip
    if file is None:
        st.session_state.pop(_TAKEN, None)
        return
    if st.session_state.get(_TAKEN) == (file.file_id, space.sae.key):
        return
    held = read_database(file.getvalue(), space.sae, name=file.name)
    st.session_state[_TAKEN] = (file.file_id, space.sae.key)
    labels_in_force.choose_database(space.sae, held)
    number = int(held.table["label"].notna().sum()) if "label" in held.table.columns else 0
    st.toast(plain(f"{counted(number, 'label')} imported."))
    st.rerun()
