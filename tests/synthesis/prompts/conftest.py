from __future__ import annotations

import pytest

from medprompt_cli.synthesis.prompts.corpus import PromptCorpus
from medprompt_cli.synthesis.prompts.lexicon import Entry, Lexicon


def structure(name, *words, adjectives=(), sided=True):
    return Entry(name, "structure", words, sided, adjectives=adjectives)


ENTRIES = (
    structure("hippocampus", "hippocampi", "hc", "해마", adjectives=("hippocampal",)),
    structure("thalamus", "thalami", "시상", adjectives=("thalamic",)),
    structure("caudate", "caudate nucleus", "미상핵", "꼬리핵"),
    structure("putamen", "putamina", "피각", "조가비핵", adjectives=("putaminal",)),
    structure("amygdala", "amygdalae", "편도체"),
    structure("third-ventricle", "3rd ventricle", "제3뇌실", sided=False),
    structure("brainstem", "brain stem", "뇌간", sided=False),
    structure("lateral-ventricle", "lv", "측뇌실"),
    structure("cerebral-cortex", "cortex", "대뇌 피질", adjectives=("cortical",)),
    structure("csf", "cerebrospinal fluid", "뇌척수액", sided=False),
    Entry("brain", "group", ("whole brain", "뇌"), sided=False),
    Entry("brain-mask", "group", ("skull stripping", "두개골 제거"), sided=False),
    Entry("intracranial", "group", ("intracranial volume", "icv", "두개내 용적"), sided=False),
    Entry("gray-matter", "group", ("gm", "회백질"), sided=True),
    Entry("white-matter", "group", ("wm", "백질"), sided=True),
    Entry(
        name="deep-gray-matter",
        kind="group",
        words=("deep gm", "심부 회백질"),
        sided=True,
        members=("thalamus", "caudate", "putamen"),
    ),
    Entry("ventricles", "group", ("뇌실",), sided=False, members=("lateral-ventricle",)),
    Entry("parietal-lobe", "lobe", ("두정엽",), sided=True, places=("parietal",)),
    Entry(
        name="frontal-lobe",
        kind="lobe",
        words=("전두엽",),
        sided=True,
        members=("precentral", "superior-frontal"),
        places=("frontal",),
    ),
    Entry("insula", "lobe", ("섬엽",), sided=True, places=("insular",)),
    Entry("precuneus", "parcel", ("설전부",), sided=True),
    Entry("precentral", "parcel", ("precentral gyrus", "중심전회"), sided=True),
    Entry("superior-frontal", "parcel", ("superior frontal gyrus", "sfg"), sided=True),
    Entry("aca-territory", "territory", ("aca", "전대뇌동맥 영역"), sided=True),
    Entry("mca-territory", "territory", ("mca", "중대뇌동맥 영역"), sided=True),
    Entry("pca-territory", "territory", ("pca", "후대뇌동맥 영역"), sided=True),
    Entry("lesion", "lesion", ("병변",), sided=False),
    Entry("white-matter-hyperintensity", "lesion", ("wmh", "백질 고신호"), sided=False),
    Entry("ms-lesion", "lesion", ("ms plaque", "다발경화증 병변"), sided=False),
    Entry("tumor", "lesion", ("brain tumor", "뇌종양"), sided=False),
    Entry("enhancing-tumor", "lesion", ("조영증강 종양",), sided=False),
    Entry("edema", "lesion", ("뇌부종",), sided=False),
    Entry("infarct", "lesion", ("infarction", "뇌경색"), sided=False),
    Entry("hemorrhage", "lesion", ("bleed", "뇌출혈"), sided=False),
    Entry("metastasis", "lesion", ("metastases", "mets", "뇌전이"), sided=False),
    Entry("resection-cavity", "lesion", ("surgical cavity", "절제강"), sided=False),
    Entry("meningioma", "lesion", ("수막종",), sided=False),
    Entry("cyst", "lesion", ("낭종",), sided=False),
    Entry("necrosis", "lesion", ("괴사",), sided=False),
)
AMBIGUOUS = {"stroke": ("infarct", "hemorrhage"), "뇌졸중": ("infarct", "hemorrhage")}
EVERYTHING = ("all structures", "everything", "모든 구조")


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return Lexicon(ENTRIES, AMBIGUOUS, EVERYTHING)


@pytest.fixture(scope="session")
def corpus(lexicon) -> PromptCorpus:
    return PromptCorpus(lexicon)
