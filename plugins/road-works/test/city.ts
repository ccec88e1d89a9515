/** A feed, for the tests. */

export const CITY = {
  districts: [
    { id: "xihu", names: { "zh-CN": "西湖区", en: "Xihu District" } },
    { id: "yuhang", names: { "zh-CN": "余杭区" } },
    { id: "linan", names: { "zh-CN": "临安区", en: "Lin'an District" } },
  ],
  works: [
    {
      id: "r-1",
      kind: "works",
      districts: ["xihu"],
      begins: "2026-11-20",
      ends: "2026-12-05",
      road: { "zh-CN": "文三路", en: "Wensan Road" },
      text: { "zh-CN": "人行道翻修。", en: "The pavement is renewed." },
    },
    {
      id: "r-2",
      kind: "closure",
      districts: ["xihu", "yuhang"],
      begins: "2026-11-01",
      ends: null,
      road: { "zh-CN": "天目山路" },
      text: { "zh-CN": "双向封闭。" },
    },
    {
      id: "r-3",
      kind: "closure",
      districts: [],
      begins: "2026-12-31",
      ends: "2027-01-01",
      road: { "zh-CN": "环城北路", en: "Huancheng Road North" },
      text: { "zh-CN": "迎新活动。", en: "New Year's celebration." },
      later: "passed over",
    },
  ],
};
