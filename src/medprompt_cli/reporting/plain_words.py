"""Words that say nothing by themselves: a text may have them wherever it likes.

A word that is not here, is no name and is no term is refused: a text must not say what no
fact could bear out. So nothing that grades, explains judges belongs here: not `mild`, not
`suggests`, not `healthy`.
"""

from __future__ import annotations

_ENGLISH = """
    does do did the a an of on to from with by for as is are was were be been being has have
    had having it its itself this that these those there here which who whose their they them
    both each all any every other total overall altogether together respectively also too
    additionally moreover further furthermore then next finally when where however though
    although per about around approximately roughly measured measures measuring measure
    measurement measurements value values size sizes sized extent extends extending extend
    lie lying located location locates sits situated found seen shown shows show showing
    identified observed noted detected depicted demonstrated demonstrates demonstrate
    reveals revealed appears appear appearing remains remained remain amounts amount
    amounting comes came reaches reached stands stood contains includes including comprises
    consists making makes make made given gives give scan scans image images imaging study
    studies examination exam visit visits session today current currently latest last first
    second sequence sequences series acquired obtained acquisition performed technique
    report findings finding impression section summary subject evaluation analysis data
    method methods medprompt weights version using used use side sided between among across
    over under after before during later days day voxel spacing resolution area areas part
    parts portion portions mask masks whole relative regard regarding respect terms mean
    evidence sign signs no not without nor neither volumes we our range ranging ranges
    ranged number numbers following follows followed up merged out into onto lies visible
    longest maximal maximum x
"""

_KOREAN = """
    각각 모두 전체 총 합계 그 밖에 당시 이후 이전 현재 이번 지난 마지막 처음 첫 검사 방문
    영상 사용한 도구 사용 측정 측정함 측정됨 측정값 값 크기 정도 약 대략 결과 소견 결론 방법
    기준 차지 차지함 확인 확인됨 관찰 관찰됨 보임 보이며 보이고 있으며 있고 나타남 해당
    해당함 사이 범위 나머지 기타 같은 함께 전 후 없음 없이 않음 아님 에서 까지 부터 비교
    비교한 비교하여 대비하여 시행 시행함 촬영 촬영함 획득 마스크 부분 위치함 위치하며
    위치하고
"""

PLAIN: frozenset[str] = frozenset((*_ENGLISH.split(), *_KOREAN.split()))

_PARTICLES = """
    은 는 이 가 을 를 의 에 에서 에는 에서는 로 으로 와 과 도 만 이며 며 이고 고 임 등 들
    까지 부터 함 됨 되고 되며 하고 하며 였음 이었음 입니다 합니다 됩니다 내 상 당 전 과함께
    에서의 로서
"""

PARTICLES: frozenset[str] = frozenset(_PARTICLES.split())
"""What Korean nouns and numbers carry; only where it is written to them."""
