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
        *("cortical mantle", "cortical gray"),
        *("cortical gray matter", "cortical gm", "대뇌 피질", "대뇌피질", "피질", "대뇌겉질"),
    ),
    "lateral-ventricle": (
        *("lv", "lvs", "lat vent", "lat ventricle", "lateral vent", "측뇌실", "외측뇌실"),
        *("가쪽뇌실", "옆뇌실"),
    ),
    "inferior-lateral-ventricle": (
        *("inf lat vent", "inferior lat vent", "temporal horn", "inferior horn"),
        *("temporal horn of the lateral ventricle", "inferior horn of the lateral ventricle"),
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
    "hippocampus": ("hippocampi", "hippo", "hipp", "hc", "해마"),
    "amygdala": ("amygdalae", "amygdaloid body", "amygdaloid complex", "편도체", "편도핵"),
    "accumbens": (
        *("nucleus accumbens", "nuclei accumbentes", "accumbens area", "nacc"),
        *("accumbens nucleus", "측좌핵", "기댐핵", "의지핵"),
    ),
    "ventral-diencephalon": ("ventral dc", "ventraldc", "vdc", "복측 간뇌", "배쪽 사이뇌"),
    "third-ventricle": (
        *("3rd ventricle", "ventricle 3", "ventricle iii", "iii ventricle", "3rd vent"),
        *("third vent", "3v", "제3뇌실", "제3 뇌실", "3뇌실", "제삼뇌실", "삼뇌실", "셋째뇌실"),
    ),
    "fourth-ventricle": (
        *("4th ventricle", "ventricle 4", "ventricle iv", "iv ventricle", "4th vent"),
        *("fourth vent", "4v", "제4뇌실", "제4 뇌실", "4뇌실", "제사뇌실", "사뇌실"),
        *("넷째뇌실",),
    ),
    "brainstem": ("brain stem", "뇌간", "뇌줄기"),
    "csf": ("cerebrospinal fluid", "cerebro spinal fluid", "뇌척수액"),
}

GROUPS: dict[str, tuple[str, ...]] = {
    "brain": (
        *("whole brain", "entire brain", "total brain", "full brain", "complete brain"),
        *("뇌", "뇌 전체", "전체 뇌"),
    ),
    "brain-mask": (
        *("brainmask", "brain extraction", "brain extraction mask", "skull stripping"),
        *("skull strip", "skull stripping mask", "skull stripped brain"),
        *("뇌 마스크", "뇌 추출", "두개골 제거"),
    ),
    "intracranial": (
        *("intracranial volume", "total intracranial volume", "intracranial cavity"),
        *("estimated total intracranial volume", "intracranial vault", "icv", "tiv", "ticv"),
        *("etiv", "두개내", "두개내 용적", "총 두개내 용적", "두개내강", "두개강"),
    ),
    "cerebrum": ("cerebral hemisphere", "대뇌", "대뇌 반구", "대뇌반구"),
    "cerebellum": ("cerebella", "소뇌"),
    "ventricles": (
        *("ventricular system", "ventricle system", "cerebral ventricular system"),
        *("brain ventricle", "cerebral ventricle", "뇌실", "뇌실계"),
    ),
    "basal-ganglia": (
        *("basal ganglion", "basal nucleus", "basal nuclei", "bg"),
        *("기저핵", "기저 신경절", "기저신경절", "바닥핵", "대뇌 기저핵"),
    ),
    "deep-gray-matter": (
        *("deep gm", "dgm", "deep gray", "deep gray nucleus", "deep gray nuclei"),
        *("deep gray matter nucleus", "deep gray matter nuclei", "deep gray matter structure"),
        *("deep nucleus", "deep nuclei", "deep brain nuclei", "subcortical nucleus"),
        *("subcortical nuclei", "sub cortical nuclei", "sub cortical gray matter"),
        *("subcortical gray", "subcortical gray matter"),
        *("subcortical gm", "subcortical gray nuclei", "subcortical gray matter nuclei"),
        *("심부 회백질", "심부회백질", "심부 회색질", "심부 핵", "심부 회백질 핵"),
        *("피질하 회백질", "피질하 회색질", "피질하 핵", "피질밑 회백질"),
    ),
    "gray-matter": ("gm", "회백질", "회색질"),
    "white-matter": ("wm", "백질", "백색질"),
}

LOBES: dict[str, tuple[str, ...]] = {
    "frontal-lobe": ("frontal cortex", "전두엽", "이마엽", "전두피질"),
    "parietal-lobe": ("parietal cortex", "두정엽", "마루엽", "두정피질"),
    "temporal-lobe": ("temporal cortex", "측두엽", "관자엽", "측두피질"),
    "occipital-lobe": ("occipital cortex", "후두엽", "뒤통수엽", "후두피질"),
    "insula": ("insulae", "insular lobe", "insular cortex", "뇌섬엽", "섬엽", "섬피질"),
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
        *("inferior frontal gyrus pars opercularis", "ifg pars opercularis", "opercularis"),
        *("opercular part of inferior frontal gyrus",),
    ),
    "pars-triangularis": (
        *("inferior frontal gyrus pars triangularis", "ifg pars triangularis", "triangularis"),
        *("triangular part of inferior frontal gyrus",),
    ),
    "pars-orbitalis": (
        *("inferior frontal gyrus pars orbitalis", "ifg pars orbitalis", "orbitalis"),
        *("orbital part of inferior frontal gyrus",),
    ),
    "orbitofrontal": ("orbitofrontal cortex", "ofc", "안와전두피질", "눈확이마피질"),
    "lateral-orbitofrontal": (
        *("lateral orbitofrontal cortex", "lateral orbitofrontal gyrus", "lofc"),
    ),
    "medial-orbitofrontal": (
        *("medial orbitofrontal cortex", "medial orbitofrontal gyrus", "mofc"),
    ),
    "precentral": ("precentral gyrus", "전중심회", "중심전회", "중심앞이랑"),
    "paracentral": ("paracentral lobule", "paracentral gyrus", "중심옆소엽"),
    "superior-parietal": (
        *("superior parietal lobule", "superior parietal cortex", "spl"),
        *("상두정소엽", "위마루소엽"),
    ),
    "inferior-parietal": ("inferior parietal cortex",),
    "supramarginal": ("supramarginal gyrus", "smg", "연상회", "모서리위이랑"),
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
        *("parahippocampal gyrus", "parahippocampal cortex", "phg"),
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
        *("anterior cerebral artery territory", "aca", "aca 영역", "전대뇌동맥 영역"),
        *("앞대뇌동맥 영역",),
    ),
    "mca-territory": (
        *("middle cerebral artery territory", "mca", "mca 영역", "중대뇌동맥 영역"),
        *("중간대뇌동맥 영역",),
    ),
    "pca-territory": (
        *("posterior cerebral artery territory", "pca", "pca 영역", "후대뇌동맥 영역"),
        *("뒤대뇌동맥 영역",),
    ),
    "vertebrobasilar-territory": (
        *("vertebro basilar territory", "vertebrobasilar", "척추기저동맥 영역"),
    ),
}

UNSIDED_TERRITORIES = frozenset({"vertebrobasilar-territory"})
"""Fed by one artery in the middle."""

LESIONS: dict[str, tuple[str, ...]] = {
    "lesion": ("any lesion", "brain lesion", "intracranial lesion", "병변", "병소", "뇌병변"),
    "white-matter-hyperintensity": (
        *("white matter hyperintensities", "wmh", "white matter lesion", "wml"),
        *("wm lesion", "wm hyperintensity", "wm hyperintensities", "leukoaraiosis"),
        *("white matter signal abnormality", "white matter signal abnormalities"),
        *("백질 고신호", "백질고신호", "백질 고신호강도", "백질 고강도", "백질 고강도 신호"),
        *("백질 병변", "백질병변", "백질 변성", "뇌백질 고신호", "뇌백질 병변", "뇌백질 변성"),
    ),
    "ms-lesion": (
        *("multiple sclerosis lesion", "ms plaque", "multiple sclerosis plaque"),
        *("다발성 경화증 병변", "다발경화증 병변", "ms 병변", "ms 플라크"),
    ),
    "tumor": (
        *("brain tumor", "cerebral tumor", "intracranial tumor", "whole tumor"),
        *("entire tumor", "neoplasm", "brain neoplasm", "종양", "뇌종양", "두개내 종양"),
    ),
    "tumor-core": ("core of the tumor", "종양 중심부", "종양 핵심부", "종양 코어"),
    "enhancing-tumor": (
        *("contrast enhancing tumor", "contrast enhanced tumor", "enhanced tumor"),
        *("gadolinium enhancing tumor", "gd enhancing tumor"),
        *("enhancing part of the tumor", "enhancing portion of the tumor"),
        *("조영증강 종양", "조영 증강 종양", "조영증강되는 종양"),
    ),
    "edema": ("brain edema", "cerebral edema", "부종", "뇌부종"),
    "infarct": (
        *("infarction", "brain infarct", "cerebral infarct", "cerebral infarction"),
        *("brain infarction", "ischemic infarct", "ischemic infarction", "ischemic stroke"),
        *("ischemic lesion", "경색", "뇌경색", "허혈성 뇌졸중", "허혈성 뇌경색", "허혈성 병변"),
    ),
    "hemorrhage": (
        *("bleed", "bleeding", "hematoma", "brain hemorrhage", "brain bleed"),
        *("brain hematoma", "cerebral hemorrhage", "cerebral hematoma", "cerebral bleed"),
        *("intracranial hemorrhage", "intracranial hematoma", "intracranial bleed"),
        *("intracerebral hemorrhage", "intracerebral hematoma", "intracerebral bleed"),
        *("ich", "hemorrhagic stroke", "hemorrhagic lesion", "intra cerebral hemorrhage"),
        *("출혈", "뇌출혈", "뇌내출혈"),
        *("두개내 출혈", "두개내 혈종", "혈종", "뇌혈종", "출혈성 뇌졸중"),
    ),
    "cyst": ("brain cyst", "cerebral cyst", "intracranial cyst", "낭종", "뇌낭종"),
    "metastasis": (
        *("metastases", "brain metastasis", "brain metastases", "met", "brain met"),
        *("cerebral metastasis", "cerebral metastases", "intracranial metastasis"),
        *("intracranial metastases", "metastatic lesion", "metastatic tumor"),
        *("metastatic brain tumor", "뇌전이", "전이", "전이암", "뇌전이암", "전이성 종양"),
        *("전이성 뇌종양", "전이성 병변", "전이성 뇌병변"),
    ),
    "meningioma": ("meningiomata", "수막종", "뇌수막종"),
    "resection-cavity": (
        *("resection cavities", "surgical cavity", "surgical cavities", "postoperative cavity"),
        *("postop cavity", "post op cavity", "post operative cavity", "postsurgical cavity"),
        *("surgical resection cavity", "tumor resection cavity"),
        *("절제강", "절제 공동", "절제 후 공동", "수술 공동", "수술 후 공동", "수술강"),
    ),
    "necrosis": (
        *("necroses", "necrotic core", "necrotic center", "necrotic tissue", "necrotic area"),
        *("necrotic region", "괴사", "괴사 조직", "괴사 중심부"),
    ),
}

AMBIGUOUS: dict[str, tuple[str, ...]] = {
    "stroke": ("infarct", "hemorrhage"),
    "뇌졸중": ("infarct", "hemorrhage"),
    "left ventricle": ("left-lateral-ventricle", "left-inferior-lateral-ventricle"),
    "right ventricle": ("right-lateral-ventricle", "right-inferior-lateral-ventricle"),
    "horn": ("lateral-ventricle", "inferior-lateral-ventricle"),
    "inferior parietal lobule": ("inferior-parietal", "supramarginal"),
    "ipl": ("inferior-parietal", "supramarginal"),
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
    "oedematous": "edematous",
    "ischaemic": "ischemic",
    "leucoaraiosis": "leukoaraiosis",
    "tumoural": "tumoral",
    "intratumoural": "intratumoral",
    "centre": "center",
    "gyri": "gyrus",
}
"""British words, a Latin plural, and the spelling the tables above use."""

SIDES: dict[str, str] = {
    **dict.fromkeys(("left", "l", "lh", "lt", "왼쪽", "왼", "좌측", "좌"), "left"),
    **dict.fromkeys(("right", "r", "rh", "rt", "오른쪽", "오른", "우측", "우"), "right"),
    **dict.fromkeys(
        ("both", "bilateral", "bilaterally", "양측", "양측성", "양쪽", "좌우", "좌우측"), "both"
    ),
}
"""Words for a side. One of them may stand before or after a region."""

ADJECTIVES: dict[str, str] = {
    **{"hippocampal": "hippocampus", "thalamic": "thalamus", "putaminal": "putamen"},
    **{"pallidal": "pallidum", "amygdalar": "amygdala", "amygdaloid": "amygdala"},
    **{"ventricular": "ventricles", "cerebellar": "cerebellum", "cerebral": "cerebrum"},
    **{"insular": "insula", "cortical": "cerebral-cortex", "tumoral": "tumor"},
    **{"parahippocampal": "parahippocampal", "precuneal": "precuneus"},
    **{"accumbal": "accumbens", "lesional": "lesion", "edematous": "edema"},
    **{"lateral ventricular": "lateral-ventricle", "third ventricular": "third-ventricle"},
    **{"fourth ventricular": "fourth-ventricle", "infarcted": "infarct"},
}
"""Words for a region that stand before a noun, as in `hippocampal volume`."""

BEFORE_LESIONS: dict[str, str] = {
    **{"frontal": "frontal-lobe", "parietal": "parietal-lobe", "temporal": "temporal-lobe"},
    **{"occipital": "occipital-lobe", "insular": "insula", "cingulate": "cingulate"},
    **{"periventricular": "lateral-ventricle", "intraventricular": "ventricles"},
    **{"juxtacortical": "cerebral-cortex", "intratumoral": "tumor"},
}
"""Words for a place if a lesion follows, as in `temporal lesions`."""
