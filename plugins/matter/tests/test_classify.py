"""What the component answers."""

import unittest

import matter
from trunkline_sdk import testing
from wit_world.exports import matters
from wit_world.exports.matters import MatterClass


def classify(text: str) -> matters.Matter:
    return matter.Matters().classify(text)


class Classes(unittest.TestCase):
    def test_every_class_has_a_title_and_every_title_a_class(self) -> None:
        self.assertEqual({name.upper().replace("-", "_") for name in matter.TITLES}, set(MatterClass.__members__))
        self.assertEqual(set(matter.MODEL.classes), set(matter.TITLES))

    def test_chinese_english_and_both(self) -> None:
        for text, expected in (
            ("楼下烧烤摊半夜唱歌，吵得睡不着", MatterClass.NOISE),
            ("老板拖欠我们三个月工资", MatterClass.LABOUR),
            ("There is a smell of gas and no water", MatterClass.WATER_AND_GAS),
            ("My landlord keeps the deposit", MatterClass.HOUSING),
            ("我们小区的 street light 不亮，还有个大坑 pothole", MatterClass.ROADS),
            ("ＫＴＶ的噪音太大", MatterClass.NOISE),
        ):
            with self.subTest(text), testing.Host():
                self.assertEqual(classify(text).class_, expected)

    def test_the_title_is_in_the_language_of_the_contact(self) -> None:
        for locale, title in (("zh-CN", "噪声扰民"), ("en", "Noise"), ("de", "Noise")):
            with testing.Host(locale=locale):
                self.assertEqual(classify("施工噪音扰民").title, title)

    def test_the_words_that_decided_stand_in_the_text(self) -> None:
        with testing.Host():
            found = classify("喂你好，我们楼下工地半夜打桩，吵得老人睡不着")
        self.assertTrue(found.words)
        self.assertLessEqual(len(found.words), 5)
        for word in found.words:
            self.assertIn(word, "喂你好，我们楼下工地半夜打桩，吵得老人睡不着")
        self.assertTrue({"打桩", "半夜", "睡不"} & set(found.words), found.words)

    def test_confidences_are_shares(self) -> None:
        with testing.Host():
            found = classify("路面有大坑，井盖也坏了")
        self.assertGreater(found.confidence, 0.4)
        self.assertLessEqual(found.confidence, 1.0)
        if found.second is not None:
            self.assertLess(found.second.confidence, found.confidence)


class WhatDoesNotCount(unittest.TestCase):
    def test_names_and_digits(self) -> None:
        with testing.Host():
            bare = classify("我要投诉楼下饭店油烟太大")
            named = classify("我叫白路平，我要投诉楼下饭店油烟太大13800138000")
            self.assertEqual(named.class_, bare.class_)
            self.assertEqual(named.words, bare.words)
            bare = classify("I want to complain about the noise of the bar")
            named = classify("My name is Rose Waters, I want to complain about the noise of the bar 24 7")
            self.assertEqual((named.class_, named.words), (bare.class_, bare.words))

    def test_what_stands_behind_the_bound(self) -> None:
        with testing.Host():
            long = classify("施工噪音" + "。" * 2_000 + "拖欠工资不签劳动合同" * 1_000)
            self.assertEqual(long.class_, MatterClass.NOISE)


class Refusals(unittest.TestCase):
    def test_nothing_to_classify(self) -> None:
        for text in ("", "  \n", "12345", "……！？", "😀"):
            with self.subTest(text), testing.Host(), testing.refuses(matters.MatterError_Empty):
                classify(text)

    def test_no_known_word(self) -> None:
        with testing.Host(), testing.refuses(matters.MatterError_Unsure) as refused:
            classify("龘龘 zzyzx")
        self.assertEqual(refused.value.value, [])

    def test_unsure_names_the_likeliest(self) -> None:
        with testing.Host(config={"unsure-below": "1"}), testing.refuses(matters.MatterError_Unsure) as refused:
            classify("路灯不亮")
        candidates = refused.value.value
        self.assertEqual(len(candidates), 3)
        self.assertEqual(candidates[0].class_, MatterClass.ROADS)
        self.assertGreater(candidates[0].confidence, candidates[1].confidence)

    def test_the_setting_decides(self) -> None:
        vague = "那个东西坏了"
        with testing.Host(config={"unsure-below": "0"}):
            classify(vague)
        with testing.Host(config={"unsure-below": "0.95"}), testing.refuses(matters.MatterError_Unsure):
            classify(vague)

    def test_a_malformed_setting_is_said_and_the_default_holds(self) -> None:
        for setting, why in (("often", "no number"), ("2", "between 0 and 1"), ("nan", "between 0 and 1")):
            with self.subTest(setting), testing.Host(config={"unsure-below": setting}) as host:
                classify("施工噪音扰民")
                (line,) = host.log.of("warn")
                self.assertIn(why, line)
                self.assertIn("hotline.yaml", line)
