"""What people call the regions of the vocabulary, in English and Korean.

Keys are canonical names without side. Words are written in lower case and singular, with
single spaces; case, hyphens, a plural s and British spelling are taken care of when they
are matched. A word stands here only if it means the same region: a narrower or wider word
(`glioma`, `pons`) would be answered with the wrong mask.
"""

from __future__ import annotations

STRUCTURES: dict[str, tuple[str, ...]] = {
    "cerebral-white-matter": ("cerebral wm", "cerebrum white matter", "대뇌 백질", "대뇌백질"),
    "cerebral-cortex": (
        *("cortex", "cortices", "cerebral cortices", "cortical ribbon", "cerebrum cortex"),
        *("cortical gray matter", "cortical gm", "대뇌 피질", "대뇌피질", "피질", "대뇌겉질"),
    ),
    "lateral-ventricle": ("lv", "lat vent", "측뇌실", "외측뇌실", "가쪽뇌실"),
    "inferior-lateral-ventricle": (
        *("inf lat vent", "inferior lat vent", "temporal horn", "inferior horn"),
        *("ilv", "측뇌실 하각", "측뇌실 측두각", "측두각"),
    ),
    "cerebellar-white-matter": (
        *("cerebellum white matter", "cerebellar wm", "소뇌 백질", "소뇌백질"),
    ),
    "cerebellar-cortex": (
        *("cerebellum cortex", "cerebellar cortices", "cerebellar gray matter"),
        *("cerebellar gm", "소뇌 피질", "소뇌피질", "소뇌겉질"),
    ),
    "thalamus": ("thalami", "thalamus proper", "시상"),
    "caudate": ("caudate nucleus", "caudate nuclei", "nucleus caudatus", "미상핵", "꼬리핵"),
    "putamen": ("putamina", "피각", "조가비핵"),
    "pallidum": ("globus pallidus", "globi pallidi", "pallida", "담창구", "창백핵"),
    "hippocampus": ("hippocampi", "hippo", "hc", "해마"),
    "amygdala": ("amygdalae", "amygdaloid body", "편도체", "편도핵"),
    "accumbens": (
        *("nucleus accumbens", "nuclei accumbentes", "accumbens area", "nacc"),
        *("accumbens nucleus", "측좌핵", "기댐핵", "의지핵"),
    ),
    "ventral-diencephalon": ("ventral dc", "ventraldc", "vdc", "복측 간뇌", "배쪽 사이뇌"),
    "third-ventricle": ("3rd ventricle", "ventricle 3", "제3뇌실", "제3 뇌실", "셋째뇌실"),
    "fourth-ventricle": ("4th ventricle", "ventricle 4", "제4뇌실", "제4 뇌실", "넷째뇌실"),
    "brainstem": ("brain stem", "뇌간", "뇌줄기"),
    "csf": ("cerebrospinal fluid", "cerebro spinal fluid", "뇌척수액"),
}

GROUPS: dict[str, tuple[str, ...]] = {
    "brain": ("whole brain", "entire brain", "뇌", "뇌 전체", "전체 뇌"),
    "brain-mask": (
        *("brain extraction", "brain extraction mask", "skull stripping", "skull strip"),
        *(
            "skull stripping mask",
            "skull stripped brain",
            "뇌 마스크",
            "뇌 추출",
            "두개골 제거",
        ),
    ),
    "intracranial": (
        *("intracranial volume", "total intracranial volume", "intracranial cavity"),
        *("icv", "tiv", "두개내", "두개내 용적", "두개강"),
    ),
    "cerebrum": ("cerebral hemisphere", "대뇌", "대뇌 반구", "대뇌반구"),
    "cerebellum": ("cerebella", "소뇌"),
    "ventricles": (
        *("ventricular system", "brain ventricle", "cerebral ventricle", "뇌실", "뇌실계"),
    ),
    "basal-ganglia": (
        *("basal ganglion", "basal nucleus", "basal nuclei", "bg"),
        *("기저핵", "기저 신경절", "기저신경절", "바닥핵"),
    ),
    "deep-gray-matter": ("deep gm", "dgm", "심부 회백질", "심부회백질"),
    "gray-matter": ("gm", "회백질", "회색질"),
    "white-matter": ("wm", "백질", "백색질"),
}

LOBES: dict[str, tuple[str, ...]] = {
    "frontal-lobe": ("전두엽", "이마엽"),
    "parietal-lobe": ("두정엽", "마루엽"),
    "temporal-lobe": ("측두엽", "관자엽"),
    "occipital-lobe": ("후두엽", "뒤통수엽"),
    "insula": ("insulae", "insular lobe", "insular cortex", "뇌섬엽", "섬엽"),
    "cingulate": ("cingulate cortex", "cingulate gyrus", "대상피질", "대상회", "띠이랑"),
}
"""Every one of them has a left and a right side."""

PARCELS: dict[str, tuple[str, ...]] = {
    "superior-frontal": ("superior frontal gyrus", "sfg", "상전두회", "위이마이랑"),
    "middle-frontal": ("middle frontal gyrus", "mfg", "중전두회", "중간이마이랑"),
    "rostral-middle-frontal": ("rostral middle frontal gyrus",),
    "caudal-middle-frontal": ("caudal middle frontal gyrus",),
    "inferior-frontal": ("inferior frontal gyrus", "ifg", "하전두회", "아래이마이랑"),
    "pars-opercularis": (
        *("inferior frontal gyrus pars opercularis", "ifg pars opercularis"),
        *("opercular part of inferior frontal gyrus",),
    ),
    "pars-triangularis": (
        *("inferior frontal gyrus pars triangularis", "ifg pars triangularis"),
        *("triangular part of inferior frontal gyrus",),
    ),
    "pars-orbitalis": (
        *("inferior frontal gyrus pars orbitalis", "ifg pars orbitalis"),
        *("orbital part of inferior frontal gyrus",),
    ),
    "orbitofrontal": ("orbitofrontal cortex", "ofc", "안와전두피질", "눈확이마피질"),
    "lateral-orbitofrontal": ("lateral orbitofrontal cortex", "lateral orbitofrontal gyrus"),
    "medial-orbitofrontal": ("medial orbitofrontal cortex", "medial orbitofrontal gyrus"),
    "precentral": ("precentral gyrus", "전중심회", "중심전회", "중심앞이랑"),
    "paracentral": ("paracentral lobule", "paracentral gyrus", "중심옆소엽"),
    "superior-parietal": (
        *("superior parietal lobule", "superior parietal cortex"),
        *("상두정소엽", "위마루소엽"),
    ),
    "inferior-parietal": ("inferior parietal cortex",),
    "supramarginal": ("supramarginal gyrus", "연상회", "모서리위이랑"),
    "postcentral": ("postcentral gyrus", "후중심회", "중심후회", "중심뒤이랑"),
    "precuneus": ("precuneus cortex", "precuneal cortex", "설전부", "쐐기앞소엽"),
    "superior-temporal": ("superior temporal gyrus", "stg", "상측두회", "위관자이랑"),
    "middle-temporal": ("middle temporal gyrus", "mtg", "중측두회", "중간관자이랑"),
    "inferior-temporal": ("inferior temporal gyrus", "itg", "하측두회", "아래관자이랑"),
    "fusiform": ("fusiform gyrus", "fusiform cortex", "방추회", "방추상회", "방추이랑"),
    "transverse-temporal": (
        *("transverse temporal gyrus", "heschl gyrus", "heschl s gyrus", "heschls gyrus"),
        *("횡측두회", "가로관자이랑"),
    ),
    "entorhinal": ("entorhinal cortex", "내후각피질", "내후각 피질"),
    "parahippocampal": (
        *("parahippocampal gyrus", "parahippocampal cortex"),
        *("해마방회", "해마곁이랑"),
    ),
    "lateral-occipital": ("lateral occipital cortex", "lateral occipital gyrus"),
    "lingual": ("lingual gyrus", "lingual cortex", "설회", "혀이랑"),
    "cuneus": ("cuneus cortex", "cuneal cortex", "설부", "쐐기소엽"),
    "pericalcarine": ("pericalcarine cortex", "calcarine cortex"),
    "anterior-cingulate": (
        *("anterior cingulate cortex", "anterior cingulate gyrus"),
        *("전대상피질", "전대상회", "앞대상피질"),
    ),
    "rostral-anterior-cingulate": (
        *("rostral anterior cingulate cortex", "rostral anterior cingulate gyrus"),
    ),
    "caudal-anterior-cingulate": (
        *("caudal anterior cingulate cortex", "caudal anterior cingulate gyrus"),
    ),
    "posterior-cingulate": (
        *("posterior cingulate cortex", "posterior cingulate gyrus", "pcc"),
        *("후대상피질", "후대상회", "뒤대상피질"),
    ),
    "isthmus-cingulate": (
        *("cingulate isthmus", "isthmus of cingulate gyrus", "isthmus cingulate cortex"),
    ),
    "cerebellar-hemisphere-cortex": ("cortex of cerebellar hemisphere",),
    "vermis": ("cerebellar vermis", "vermis cerebelli", "소뇌충부", "소뇌 충부", "소뇌벌레"),
    "anterior-vermis": ("vermis i v", "vermal lobule i v"),
    "superior-posterior-vermis": ("vermis vi vii", "vermal lobule vi vii"),
    "inferior-posterior-vermis": ("vermis viii x", "vermal lobule viii x"),
}
"""Parcels, and regions of several; the insula, a parcel of its own, stands with the lobes."""

TERRITORIES: dict[str, tuple[str, ...]] = {
    "aca-territory": (
        *("anterior cerebral artery territory", "aca", "전대뇌동맥 영역", "앞대뇌동맥 영역"),
    ),
    "mca-territory": (
        *("middle cerebral artery territory", "mca", "중대뇌동맥 영역", "중간대뇌동맥 영역"),
    ),
    "pca-territory": (
        *("posterior cerebral artery territory", "pca", "후대뇌동맥 영역", "뒤대뇌동맥 영역"),
    ),
    "vertebrobasilar-territory": (
        *("vertebro basilar territory", "vertebrobasilar", "척추기저동맥 영역"),
    ),
}

UNSIDED_TERRITORIES = frozenset({"vertebrobasilar-territory"})
"""Fed by one artery in the middle."""

LESIONS: dict[str, tuple[str, ...]] = {
    "lesion": ("any lesion", "brain lesion", "병변", "병소", "뇌병변"),
    "white-matter-hyperintensity": (
        *("white matter hyperintensities", "wmh", "white matter lesion", "wml"),
        *("leukoaraiosis", "백질 고신호", "백질고신호", "백질 고신호강도"),
        *("백질 병변", "백질병변"),
    ),
    "ms-lesion": (
        *("multiple sclerosis lesion", "ms plaque", "multiple sclerosis plaque"),
        *("다발성 경화증 병변", "다발경화증 병변"),
    ),
    "tumor": ("brain tumor", "whole tumor", "neoplasm", "종양", "뇌종양"),
    "tumor-core": ("core of the tumor", "종양 중심부", "종양 핵심부"),
    "enhancing-tumor": (
        *("contrast enhancing tumor", "enhanced tumor", "조영증강 종양", "조영 증강 종양"),
    ),
    "edema": ("brain edema", "cerebral edema", "부종", "뇌부종"),
    "infarct": (
        *("infarction", "brain infarct", "cerebral infarct", "cerebral infarction"),
        *("ischemic stroke", "ischemic lesion", "경색", "뇌경색", "허혈성 뇌졸중"),
    ),
    "hemorrhage": (
        *("bleed", "bleeding", "hematoma", "brain hemorrhage", "brain bleed"),
        *("intracranial hemorrhage", "ich", "hemorrhagic stroke"),
        *("출혈", "뇌출혈", "혈종", "출혈성 뇌졸중"),
    ),
    "cyst": ("brain cyst", "낭종"),
    "metastasis": (
        "metastases",
        "brain metastasis",
        "brain metastases",
        "met",
        "뇌전이",
        "전이",
    ),
    "meningioma": ("meningiomata", "수막종", "뇌수막종"),
    "resection-cavity": (
        *("resection cavities", "surgical cavity", "surgical cavities", "postoperative cavity"),
        *("절제강", "절제 공동", "수술 공동"),
    ),
    "necrosis": ("necroses", "necrotic core", "necrotic tissue", "괴사", "괴사 조직"),
}

AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "stroke": ("infarct", "hemorrhage"),
    "뇌졸중": ("infarct", "hemorrhage"),
    "left ventricle": ("left-lateral-ventricle", "left-inferior-lateral-ventricle"),
    "right ventricle": ("right-lateral-ventricle", "right-inferior-lateral-ventricle"),
    "horn": ("lateral-ventricle", "inferior-lateral-ventricle"),
    "inferior parietal lobule": ("inferior-parietal", "supramarginal"),
    "acc": ("anterior-cingulate", "accumbens"),
    "frontal gyrus": ("superior-frontal", "middle-frontal", "inferior-frontal"),
    "temporal gyrus": ("superior-temporal", "middle-temporal", "inferior-temporal"),
}
"""Words that mean one of several regions: the person has to say which."""

EVERYTHING = (
    "all",
    "all structure",
    "all base structure",
    "everything",
    "모두",
    "전부",
    "전체",
)
"""Words for all base structures."""

SPELLINGS = {
    "grey": "gray",
    "tumour": "tumor",
    "haemorrhage": "hemorrhage",
    "haemorrhagic": "hemorrhagic",
    "haematoma": "hematoma",
    "oedema": "edema",
    "ischaemic": "ischemic",
}
"""British words and the spelling the tables above use."""

SIDES: dict[str, str] = {
    **dict.fromkeys(("left", "l", "lh", "lt", "왼쪽", "왼", "좌측", "좌"), "left"),
    **dict.fromkeys(("right", "r", "rh", "rt", "오른쪽", "오른", "우측", "우"), "right"),
    **dict.fromkeys(("both", "bilateral", "양측", "양쪽", "좌우"), "both"),
}
"""Words for a side. One of them may stand before or after a region."""
