using Lifeboat.Engine.Sources.Postgres.Parts;
using Lifeboat.Engine.Sources.Postgres.Sql;

namespace Lifeboat.Engine.Sources.Postgres.Restore;

internal enum PostDataKind
{
    Other,

    /// <summary>An index, or a constraint that is one.</summary>
    Index,

    ForeignKey,

    /// <summary>A CHECK constraint of a table or domain that could not stand in its definition.</summary>
    Check,

    /// <summary>What is said of a constraint, which must be there.</summary>
    OfConstraint,

    /// <summary>Row security is enabled: whoever holds the rows against constraints must see all of them.</summary>
    RowSecurity,

    /// <summary>What is done to an event trigger, which would fire at all that follows.</summary>
    EventTrigger,

    /// <summary>A setting for what follows it.</summary>
    Setting,
}

/// <summary>A statement of what comes behind the rows, with what a restore must know of it.</summary>
/// <param name="Text">As the server is sent it.</param>
/// <param name="On">The table or domain, where it is one's; of an index's place in another one, the index that gets it.</param>
/// <param name="Name">Of the index, in its table's schema, or of the constraint.</param>
/// <param name="Other">The table that a foreign key refers to; the index that another one is attached to.</param>
internal sealed record PostDataStatement(
    SqlStatement Captured, string Text, PostDataKind Kind, RelationName On = default, string Name = "", RelationName Other = default, bool IsDomain = false)
{
    /// <summary>The index that it makes.</summary>
    public RelationName Index => new(On.Schema, Name);

    /// <summary>Whether it says itself that rows need not keep to it.</summary>
    public bool IsNotValid => Captured.Tokens.Count > 2 && Captured.Tokens[^2].Is("not") && (Captured.Tokens[^1].Is("valid") || Captured.Tokens[^1].Is("enforced"));

    /// <param name="decode">Gives what the lexer read, a character for each byte, as text.</param>
    public static PostDataStatement Of(SqlStatement statement, Func<string, string> decode)
    {
        Reader reader = new(statement.Tokens, decode);
        PostDataStatement plain = new(statement, decode(statement.Text), PostDataKind.Other);
        return reader.At(0, "set") || reader.At(0, "reset") ? plain with { Kind = PostDataKind.Setting }
            : reader.At(0, "select") ? plain with { Kind = PostDataKind.Setting }
            : reader.At(0, "create") ? Created(plain, reader)
            : reader.At(0, "alter") ? Altered(plain, reader)
            : reader.At(0, "comment") ? Commented(plain, reader)
            : reader.At(0, "security") && reader.At(4, "on") && reader.At(5, "event") ? plain with { Kind = PostDataKind.EventTrigger }
            : plain;
    }

    private static PostDataStatement Created(PostDataStatement plain, Reader reader)
    {
        if (reader.At(1, "event"))
            return plain with { Kind = PostDataKind.EventTrigger };
        int at = reader.At(1, "unique") ? 2 : 1;
        if (!reader.At(at, "index"))
            return plain;
        int table = reader.At(at + 3, "only") ? at + 4 : at + 3;
        return reader.At(at + 2, "on") ? plain with { Kind = PostDataKind.Index, Name = reader.Name(at + 1), On = reader.Relation(table) } : plain;
    }

    private static PostDataStatement Altered(PostDataStatement plain, Reader reader)
    {
        if (reader.At(1, "event"))
            return plain with { Kind = PostDataKind.EventTrigger };
        if (reader.At(1, "index"))
            return plain with { On = reader.Relation(2), Other = reader.At(5, "attach") ? reader.Relation(7) : default };
        bool domain = reader.At(1, "domain");
        if (!domain && !reader.At(1, "table"))
            return plain;
        int name = reader.At(2, "only") ? 3 : 2, add = name + 3;
        PostDataStatement of = plain with { On = reader.Relation(name), IsDomain = domain };
        if (reader.At(add, "enable") && reader.At(add + 1, "row"))
            return of with { Kind = PostDataKind.RowSecurity };
        if (reader.At(add, "cluster"))
            return of with { Name = reader.Name(add + 2) };
        if (reader.At(add, "replica"))
            return reader.At(add + 2, "using") ? of with { Name = reader.Name(add + 4) } : of;
        if (!reader.At(add, "add") || !reader.At(add + 1, "constraint"))
            return of;
        of = of with { Name = reader.Name(add + 2) };
        return reader.Word(add + 3) switch
        {
            "primary" or "unique" or "exclude" => of with { Kind = PostDataKind.Index },
            "check" => of with { Kind = PostDataKind.Check },
            "foreign" => of with { Kind = PostDataKind.ForeignKey, Other = reader.After("references") },
            _ => of,
        };
    }

    private static PostDataStatement Commented(PostDataStatement plain, Reader reader) =>
        reader.At(2, "event") ? plain with { Kind = PostDataKind.EventTrigger }
        : reader.At(2, "index") ? plain with { On = reader.Relation(3), Name = reader.Name(5) }
        : reader.At(2, "constraint") && reader.At(4, "on")
            ? reader.At(5, "domain") ? plain with { Kind = PostDataKind.OfConstraint, Name = reader.Name(3), On = reader.Relation(6), IsDomain = true }
            : plain with { Kind = PostDataKind.OfConstraint, Name = reader.Name(3), On = reader.Relation(5) }
        : plain;

    /// <summary>Tokens by their place.</summary>
    private readonly struct Reader(IReadOnlyList<SqlToken> tokens, Func<string, string> decode)
    {
        public bool At(int at, string word) => at < tokens.Count && tokens[at].Is(word);

        public string Word(int at) => at < tokens.Count && tokens[at].Kind == SqlTokenKind.Word ? tokens[at].Value : "";

        public string Name(int at) => at < tokens.Count ? decode(tokens[at].Value) : "";

        /// <summary>Both names of an object; pg_dump writes the schema of every one.</summary>
        public RelationName Relation(int at) => at + 2 < tokens.Count && tokens[at + 1].IsSymbol('.') ? new RelationName(Name(at), Name(at + 2)) : default;

        public RelationName After(string word)
        {
            int depth = 0;
            for (int i = 0; i < tokens.Count; i++)
            {
                depth += tokens[i].IsSymbol('(') ? 1 : tokens[i].IsSymbol(')') ? -1 : 0;
                if (depth == 0 && tokens[i].Is(word))
                    return Relation(i + 1);
            }

            return default;
        }
    }
}
