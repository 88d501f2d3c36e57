//! The vectors of `VERIFICATION.md`, read from the page itself, and the table.

use std::collections::HashSet;

use super::*;

/// The row of the page's table of vectors that begins with this name.
fn vectors(name: &str) -> [&'static str; 2] {
    let page = include_str!("../../VERIFICATION.md");
    let (_, section) = page.split_once("## Test vectors").unwrap();
    let line = section.lines().find(|line| line.starts_with(&format!("| {name} |")));
    let cells: Vec<_> = line
        .unwrap()
        .split('|')
        .map(|cell| cell.trim().trim_matches('`'))
        .collect();
    [cells[2], cells[3]]
}

#[test]
fn the_code_is_what_the_page_says() {
    for column in 0..2 {
        let bytes = |name| from_hex(vectors(name)[column]).unwrap();
        let ingredients = Ingredients {
            caller_fingerprint: bytes("`FA`"),
            callee_fingerprint: bytes("`FB`"),
            caller_nonce: bytes("`NA`"),
            callee_nonce: bytes("`NB`"),
        };
        let commit = commitment(&ingredients.caller_fingerprint, &ingredients.caller_nonce);
        assert_eq!(to_hex(&commit), vectors("`commit`")[column]);
        let code = VerificationCode::derive(&ingredients);
        let rows = code.rows.map(|row| row.to_string()).join(", ");
        assert_eq!(rows, vectors("rows")[column]);
        assert_eq!(code.english(), vectors("English")[column]);
        assert_eq!(code.japanese(), vectors("Japanese")[column]);
        assert_eq!(code.to_string(), code.symbols().map(|symbol| symbol.emoji).join(" "));
    }
}

#[test]
fn each_ingredient_changes_the_code() {
    let base = Ingredients {
        caller_fingerprint: [1; 32],
        callee_fingerprint: [2; 32],
        caller_nonce: [3; 32],
        callee_nonce: [4; 32],
    };
    let codes: HashSet<_> = [
        base,
        Ingredients {
            caller_fingerprint: [9; 32],
            ..base
        },
        Ingredients {
            callee_fingerprint: [9; 32],
            ..base
        },
        Ingredients {
            caller_nonce: [9; 32],
            ..base
        },
        Ingredients {
            callee_nonce: [9; 32],
            ..base
        },
    ]
    .iter()
    .map(VerificationCode::derive)
    .collect();
    assert_eq!(codes.len(), 5);
}

#[test]
fn the_table_has_64_rows_that_differ_in_every_column() {
    let rows: Vec<_> = (0..64).map(symbol).collect();
    assert_eq!(TABLE.lines().count(), rows.len());
    for column in [
        |row: &VerificationSymbol| row.emoji,
        |row: &VerificationSymbol| row.english,
        |row: &VerificationSymbol| row.japanese,
    ] {
        let values: HashSet<_> = rows.iter().map(column).collect();
        assert_eq!(values.len(), rows.len());
        assert!(!values.contains(""));
    }
    assert!(rows.iter().all(|row| row.emoji.chars().count() == 1));
}

#[test]
fn hexadecimal_is_read_in_one_form_only() {
    let bytes = [0xab; 32];
    assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
    for text in [
        "",
        "ab",
        &"AB".repeat(32),
        &"ab".repeat(33),
        &"é".repeat(32),
        &"0x".repeat(32),
    ] {
        assert_eq!(from_hex(text), None, "{text}");
    }
}
