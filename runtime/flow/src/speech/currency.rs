//! Currencies, and what they are called.

use super::Tongue;

macro_rules! currencies {
    ($($name:ident $code:literal $decimals:literal $chinese:literal $english:literal,)*) => {
        /// A currency.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Currency {
            $(#[doc = $english] $name,)*
        }

        impl Currency {
            /// All that are known.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its ISO 4217 code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// How many decimals its amounts have (ISO 4217's minor unit).
            pub const fn decimals(self) -> usize {
                match self {
                    $(Self::$name => $decimals,)*
                }
            }

            /// What stands after an amount in a language.
            pub(crate) const fn word(self, tongue: Tongue) -> &'static str {
                match (self, tongue) {
                    $((Self::$name, Tongue::Chinese) => $chinese,)*
                    $((Self::$name, Tongue::English) => $english,)*
                    (_, Tongue::Japanese | Tongue::Other) => self.code(),
                }
            }
        }
    };
}

currencies! {
    Cny "CNY" 2 "元" "yuan",
    Hkd "HKD" 2 "港元" "Hong Kong dollars",
    Mop "MOP" 2 "澳门元" "patacas",
    Twd "TWD" 2 "新台币" "New Taiwan dollars",
    Usd "USD" 2 "美元" "US dollars",
    Eur "EUR" 2 "欧元" "euros",
    Gbp "GBP" 2 "英镑" "pounds",
    Jpy "JPY" 0 "日元" "yen",
    Krw "KRW" 0 "韩元" "won",
    Sgd "SGD" 2 "新加坡元" "Singapore dollars",
    Aud "AUD" 2 "澳元" "Australian dollars",
    Cad "CAD" 2 "加元" "Canadian dollars",
    Chf "CHF" 2 "瑞士法郎" "Swiss francs",
    Thb "THB" 2 "泰铢" "baht",
    Rub "RUB" 2 "卢布" "roubles",
}

impl Currency {
    /// The currency of a code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|currency| currency.code() == code)
    }
}
