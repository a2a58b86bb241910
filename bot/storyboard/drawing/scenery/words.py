"""The words that choose a place, in several languages.

A word with up to four letters has to stand alone. A longer word may also be the beginning of
another word, or part of a German compound. Words in Asian scripts and emoji are found anywhere in a
text.
"""

# ruff: noqa: RUF001  # this module contains words in many scripts

from __future__ import annotations

WORDS = {
    "sea": """
        🌊 ⛵ 🏖 🏝 🚢 sea ocean seas beach coast harbour harbor boat sail ship lighthouse
        wave waves shore island bay tide gull meer küste strand hafen segel schiff
        leuchtturm insel welle möwe ostsee nordsee mer océan plage bateau voilier phare île
        vague mar océano playa barco faro isla mare spiaggia barca море океан пляж корабль
        маяк волн остров 海 浜 港 船 灯台 波 島 바다 배 بحر סירה ים θάλασσα समुद्र ทะเล
        deniz
    """,
    "city": """
        🌃 🏙 🌆 city town street skyline urban neon traffic downtown skyscraper alley
        rooftop stadt straße strasse gasse hochhaus großstadt verkehr dach dächer ville rue
        immeuble toit ciudad calle edificio città strada palazzo город улиц небоскр 街 都市
        東京 ビル 町 城市 도시 مدينة עיר πόλη शहर เมือง şehir
    """,
    "forest": """
        🌲 🌳 🦊 🍄 🍁 forest woods woodland tree trees jungle fox deer leaf leaves moss
        mushroom wald wälder schwarzwald regenwald baum bäume dschungel fuchs reh hirsch blatt
        moos pilz forêt
        arbre bois renard bosque árbol selva zorro foresta albero лес дерев лис 森 木 林 狐
        鹿 숲 나무 غابة יער δάσος जंगल ป่า orman
    """,
    "snow": """
        ❄ ⛄ 🎄 🐧 snow snowy winter ice frost sled ski skiing christmas glacier penguin
        polar schnee winter eis frost schlitten weihnacht gletscher pinguin neige hiver
        glace noël nieve invierno hielo navidad neve inverno снег зим лёд 雪 冬 氷
        クリスマス 눈 겨울 ثلج שלג χιόνι बर्फ หิมะ kar
    """,
    "mountains": """
        ⛰ 🏔 🌋 mountain mountains peak valley hike hiking alps summit cliff canyon volcano
        berg berge gipfel tal alpen wandern fels schlucht vulkan montagne sommet vallée
        montaña cumbre valle montagna гор вершин 山 峰 谷 火山 산 جبل הר βουν पहाड़ ภูเขา
        dağ
    """,
    "night": """
        🌙 ⭐ 🌟 ✨ 🏕 night star stars midnight moonlight constellation camp campfire tent
        aurora dream sleep nacht stern sterne mitternacht zelt lagerfeuer traum schlaf nuit
        étoile rêve noche estrella sueño notte stella ноч звезд сон 夜 星 夢 月 밤 별 ليل
        לילה νύχτα रात กลางคืน gece
    """,
    "desert": """
        🏜 🐫 🌵 desert dune dunes sand camel cactus oasis sahara pyramid wüste düne kamel
        kaktus oase pyramide désert chameau desierto duna camello deserto cammello пустын
        верблюд 砂漠 砂 사막 صحراء מדבר έρημος रेगिस्तान ทะเลทราย çöl
    """,
    "garden": """
        🌸 🌷 🌻 🌹 🦋 🐝 garden flower flowers meadow rose butterfly bee spring bloom park
        grass farm garten blume blüte wiese rose schmetterling biene frühling bauernhof park
        jardin fleur prairie papillon printemps jardín flor pradera mariposa primavera
        giardino fiore сад цвет луг бабоч 庭 花 蝶 春 桜 정원 꽃 حديقة גן κήπο बगीचा फूल สวน
        bahçe
    """,
    "road": """
        🚗 🚂 🚆 🚲 road car drive train travel journey trip highway railway bus bicycle
        bike bridge straße auto fahrt zug reise bahn fahrrad autobahn brücke route voiture
        voyage camino coche tren viaje carretera treno viaggio дорог поезд машин путеш 道 車
        電車 旅 汽车 火车 기차 طريق רכבת δρόμος सड़क ถนน yol
    """,
    "space": """
        🚀 🪐 👽 🛸 space rocket planet planets galaxy astronaut orbit satellite mars saturn
        comet universe cosmos alien moon weltraum rakete planet galaxie umlauf mond komet
        espace fusée planète lune univers espacio cohete planeta luna spazio razzo космос
        ракет планет 宇宙 ロケット 惑星 太空 우주 فضاء חלל διάστημα अंतरिक्ष อวกาศ uzay
    """,
    "underwater": """
        🐟 🐠 🐳 🐋 🐙 🦈 underwater fish whale shark coral reef dolphin octopus submarine
        jellyfish diver aquarium unterwasser fisch wal hai koralle delfin tintenfisch qualle
        taucher poisson baleine requin pez ballena tiburón pesce balena рыб кит акул 魚 鯨
        珊瑚 海底 鱼 물고기 سمك דג ψάρι मछली ปลา balık
    """,
    "sky": """
        🌈 ☁ ✈ 🎈 🐦 ☀ sky cloud clouds plane airplane fly flying bird birds kite balloon
        wind rainbow sun sunrise sunset himmel wolke flugzeug fliegen vogel vögel drachen
        ballon regenbogen sonne sonnenuntergang ciel nuage avion oiseau arc-en-ciel soleil
        cielo nube avión pájaro arcoíris sol aereo uccello nuvola небо облак самол птиц
        радуг солнц 空 雲 飛行機 鳥 虹 風 彩虹 하늘 무지개 سماء قوس שמיים קשת ουρανό ουράνιο
        इंद्रधनुष รุ้ง gökkuşağı ცისარტყელა ծիածան வானவில் রংধনু ឥន្ធនូ ቀስተ
    """,
    "interior": """
        🐱 🐈 🏠 📚 ☕ room house home kitchen table coffee tea book books library window
        lamp cat sofa bed school office family grandmother zimmer haus wohnung küche tisch
        kaffee buch bücher fenster katze schule büro familie oma maison cuisine café livre
        fenêtre chat école casa cocina libro ventana gato escuela cucina gatto libro дом
        кухн книг окн кот 家 部屋 本 窓 猫 学校 台所 집 고양이 بيت قهوة בית σπίτι घर บ้าน
        แมว ev
    """,
    "workshop": """
        🤖 🔧 🛠 💻 🚧 workshop tool tools machine engine robot build factory carpenter gear
        repair craft wood software code computer engineer invent werkstatt werkzeug maschine
        motor roboter bauen fabrik tischler zahnrad reparatur handwerk ingenieur atelier
        outil robot usine taller herramienta máquina fábrica officina macchina мастерск
        инструмент машин робот завод 工場 機械 道具 ロボット 공장 로봇 مصنع רובוט εργαστήρι
        मशीन โรงงาน atölye
    """,
    "stage": """
        🎵 🎶 🎸 🎤 🎹 💃 music concert song dance dancer dancing stage guitar piano band
        orchestra theatre theater party singer jazz festival musik konzert lied tanz tänzer
        bühne gitarre klavier orchester fest feier musique danse chanson scène guitare
        música baile canción escenario guitarra musica danza музык концерт танц песн гитар
        音楽 歌 踊 祭 コンサート 音乐 음악 موسيقى מוזיקה μουσική संगीत ดนตรี müzik
    """,
    "rain": """
        🌧 ☔ ⛈ rain rainy raining storm thunder umbrella puddle lightning monsoon drizzle
        regen gewitter sturm regenschirm pfütze blitz pluie orage parapluie lluvia tormenta
        paraguas pioggia temporale ombrello дожд гроз зонт 雨 嵐 傘 雷 비 مطر גשם βροχή
        बारिश ฝน yağmur
    """,
}
"""The words that choose each place, keyed by the place's name."""
