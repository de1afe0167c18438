"""Made-up prompts: what people type, and what they ask for by it.

A frame of `data/` is drawn and written with the rules beside it; `corpus.py` is the way in.
Frames and the phrases around them come in two families, for training and for evaluation,
that share no sentence. What limits a lesion and what a quantity is called is shared.

| Words | Asked for |
|---|---|
| a region alone, segment, outline, mask of | quantities none |
| volume, size, how big, how large, how much of, load, burden, mL | volume |
| how many, count, number of | count |
| longest or maximum diameter, RECIST | max-diameter |
| RANO, bidimensional, product of (two perpendicular) diameters | bidimensional |
| width, how wide, breadth | width |
| surface area, how much surface | surface-area |
| mean intensity or signal, average brightness, how bright | mean-intensity |
| HU, Hounsfield, density, attenuation, how dense | density |
| of ICV, normalized to ICV, corrected for head size | fraction-of-icv, and no volume |
| asymmetry, laterality, symmetric | asymmetry; compares sides |
| compare left and right, which side is larger, difference between sides | difference; sides |
| left/right ratio | ratio; sides |
| ratio of A to B, A relative to B, A as a part of B | ratio; targets A, B in this order |
| difference between A and B, how much larger is A than B | difference; none; targets A, B |
| compare on FLAIR and T1 | difference; images |
| how much has it grown, shrunk, changed; is it growing; compare, or the difference between, before and after | change; visits |
| by what percent, percent change | percent-change; visits |
| per year, annual, atrophy rate | annualised-change, and no percent-change; visits |
| new lesions, any new lesions, how many new lesions | new-lesions; visits; no filter, no count |
| show, segment or measure only the new lesions | filter new; visits; what is measured |
| growing, shrunken, resolved, stable lesions | filter enlarging, shrinking, resolved, stable |
| bright or dark, hyperintense? | signal |
| bright lesions, hypointense lesions | filter signal:hyper, signal:hypo |
| enhancing lesions, lesions that restrict diffusion | filter enhancing, diffusion-restricting |
| does it enhance, does it restrict diffusion | enhancement, diffusion-restriction |
| is there, any, absent, rule out, exclude a lesion; `lesion?` in a note | presence |
| is a structure visible, in the field of view | presence |
| which lobe; which (vascular, arterial) territory | lobe; territory |
| a measure said with a comparison: change in longest diameter | both; a volume only if asked for by itself |
| left before a region of two sides, or before or behind it | target `left-...` |
| left before a lesion; in the left hemisphere | filter side:left |
| in, inside, near, touching, around a region; periventricular | filter lobe:, territory: or region: |
| except, without, but not, outside a region | filter exclude: |
| larger than 5 mm, 1 cc | filter size:>5mm (length), size:>1mL; cm is mm, cc and cm3 are mL |
| largest, smallest, nearest to | filter rank:... |
| at every visit; at baseline, pre-op; on the last scan, post-op | visits all; first; last |
| since, between, over time with a comparison | visits first-last |
| ICV, TIV asked for by itself with what is, measure, give | target intracranial, volume |
| everything, all structures | every base structure |
| for my thesis, native space, as a table, patients with X | nothing |

| Words | Status, reason |
|---|---|
| other organs, diagnosis, prognosis, treatment, age, code, statistics, registration, chat | refused, out-of-scope, whatever else is asked |
| what is no quantity here: thickness, diffusivity, perfusion, uptake, activation | refused, out-of-scope |
| orders to ignore rules, to delete or send, to make numbers up | refused, out-of-scope |
| nothing, noise, a verb with no quantity and no region (`segment please`) | refused, no-target |
| a region that the vocabulary lacks, even beside known ones | refused, unknown-target |
| a word that means several regions, even beside known ones | ambiguous, ambiguous-target |
| a quantity or a comparison with no region (`volume`, `has it grown?`) | ambiguous, no-target |
| that thing, the nucleus, the usual, whatever looks abnormal | ambiguous, vague |

Left out, as people would not agree on them: the volumes of A and B compared, `measure the
hippocampus` with no quantity, where a lesion is, lesions per lobe, sizes between two
bounds, the three largest, ICV as a bare word, the signal of what is no lesion, and
conditions that ask nothing (`if there is a cyst, measure it`).
"""  # noqa: E501 - a table row is one line
