//! A macro for enums whose variants have a fixed word, used in texts, files and APIs.

/// `enum Urgency: word { High = "high", Low = "low" }` is the enum with `ALL`, its variants in order, and `word`, the word of one.
macro_rules! words {
    ($(#[$meta:meta])* $seen:vis enum $Name:ident: $word:ident {
        $($(#[$variant_meta:meta])* $Variant:ident = $text:literal,)*
    }) => {
        $(#[$meta])*
        $seen enum $Name { $($(#[$variant_meta])* $Variant,)* }

        impl $Name {
            $seen const ALL: [Self; [$(Self::$Variant),*].len()] = [$(Self::$Variant),*];

            $seen const fn $word(self) -> &'static str {
                match self { $(Self::$Variant => $text,)* }
            }
        }

        // some enums never use `ALL`
        const _: usize = $Name::ALL.len();
    };
}
pub(crate) use words;
