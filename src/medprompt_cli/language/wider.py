"""Regions that the vocabulary lacks, by the region of it that holds them or stands for them.

Used to say what could be asked instead, never to answer: the mask of the brainstem is not
the mask of the pons. Keys are canonical names without side. Source: Terminologia Anatomica
(2019) for what is part of what; WHO Classification of Tumours of the CNS (2021).
"""

from __future__ import annotations

WIDER: dict[str, tuple[str, ...]] = {
    "brainstem": (
        *("pons", "midbrain", "mesencephalon", "medulla", "medulla oblongata", "tectum"),
        *("superior colliculus", "inferior colliculus", "red nucleus", "substantia nigra"),
        *("locus coeruleus", "periaqueductal gray", "교뇌", "다리뇌", "중뇌", "중간뇌", "연수"),
        *(
            "숨뇌",
            "흑질",
            "흑색질",
            "적핵",
            "적색핵",
            "청반",
            "상구",
            "하구",
            "수도관주위회백질",
        ),
    ),
    "hippocampus": (
        *("ca1", "ca2", "ca3", "ca4", "subiculum", "dentate gyrus", "hippocampal subfield"),
        *(
            "hippocampal head",
            "hippocampal body",
            "hippocampal tail",
            "치아이랑",
            "해마 아영역",
        ),
    ),
    "thalamus": (
        *("pulvinar", "lateral geniculate nucleus", "medial geniculate nucleus"),
        *("mediodorsal nucleus", "habenula", "시상베개", "외측슬상체", "고삐핵"),
    ),
    "ventral-diencephalon": (
        *(
            "hypothalamus",
            "hypothalami",
            "subthalamic nucleus",
            "stn",
            "mammillary body",
            "mamillary body",
        ),
        *("zona incerta", "시상하핵", "시상하부", "유두체"),
    ),
    "cerebral-white-matter": (
        *("corpus callosum", "internal capsule", "external capsule", "corona radiata"),
        *("centrum semiovale", "posterior limb of the internal capsule", "cingulum bundle"),
        *("corticospinal tract", "arcuate fasciculus", "uncinate fasciculus"),
        *("superior longitudinal fasciculus", "뇌량", "뇌들보", "내포", "속섬유막", "외포"),
        *("방사관", "궁상다발", "피질척수로", "대상다발"),
    ),
    "cerebellum": (*("cerebellar tonsil", "flocculus", "소뇌편도"),),
    "cerebellar-white-matter": (
        *("dentate nucleus", "cerebellar peduncle", "middle cerebellar peduncle", "치상핵"),
        *("중소뇌각",),
    ),
    "basal-ganglia": ("claustrum", "전장"),
    "inferior-parietal": ("angular gyrus", "각회", "모이랑"),
    "superior-temporal": ("planum temporale", "측두평면"),
    "temporal-lobe": ("temporal pole", "uncus", "측두극", "갈고리이랑"),
    "frontal-lobe": (
        *("frontal pole", "gyrus rectus", "supplementary motor area", "broca's area"),
        *("전두극", "곧은이랑", "보조운동영역", "브로카 영역"),
    ),
    "precentral": ("motor strip", "운동영역"),
    "insula": ("operculum",),
    "ventricles": ("choroid plexus", "맥락총", "맥락얼기", "hydrocephalus", "수두증"),
    "csf": (
        *("cerebral aqueduct", "aqueduct of sylvius", "cisterna magna", "basal cistern"),
        *("interpeduncular cistern", "대뇌수도관", "중뇌수도관", "대수조", "기저수조"),
    ),
    "tumor": (
        *("glioma", "glioblastoma", "glioblastoma multiforme", "gbm", "low grade glioma"),
        *("high grade glioma", "lgg", "hgg", "oligodendroglioma", "astrocytoma", "lymphoma"),
        *("schwannoma", "vestibular schwannoma", "craniopharyngioma", "medulloblastoma"),
        *("ependymoma", "pituitary adenoma", "교종", "신경교종", "교모세포종", "성상세포종"),
        *("림프종", "신경초종", "청신경초종", "두개인두종", "뇌하수체 선종"),
    ),
    "infarct": ("penumbra", "ischemic penumbra", "lacune", "열공"),
    "hemorrhage": ("microbleed", "cerebral microbleed", "미세출혈"),
    "lesion": (
        *("abscess", "cavernoma", "cavernous malformation", "calcification", "lipoma"),
        *("뇌농양", "농양", "해면상혈관종", "석회화"),
    ),
}
