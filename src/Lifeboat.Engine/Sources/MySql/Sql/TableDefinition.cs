namespace Lifeboat.Engine.Sources.MySql.Sql;

/// <summary>What one part of a CREATE TABLE describes.</summary>
internal enum TablePartKind
{
    Column,
    PrimaryKey,
    Key,
    FullTextKey,
    ForeignKey,
    Check,
    Other,
}

/// <summary>One column, key or constraint.</summary>
/// <param name="Text">As it stands in the statement, without the comma behind it.</param>
/// <param name="Name">Its name; empty for a primary key.</param>
internal sealed record TableDefinitionPart(TablePartKind Kind, string Name, string Text, IReadOnlyList<SqlToken> Tokens)
{
    public bool HasWord(string word) => Tokens.Any(token => token.IsWord(word));

    /// <summary>The first column of a key.</summary>
    public string? FirstColumn => Tokens.SkipWhile(static token => !token.IsSign('(')).Skip(1).FirstOrDefault() is { Kind: SqlTokenKind.Name } name ? name.Value : null;

    /// <summary>The table that a foreign key refers to, with its database where that is named.</summary>
    public (string? Schema, string Table)? Referenced
    {
        get
        {
            SqlToken[] behind = [.. Tokens.SkipWhile(static token => !token.IsWord("REFERENCES")).Skip(1).Take(3)];
            return behind switch
            {
                [var schema, var dot, var table] when dot.IsSign('.') => (schema.Value, table.Value),
                [var table, ..] => (null, table.Value),
                _ => null,
            };
        }
    }
}

/// <summary>A CREATE TABLE statement as SHOW CREATE TABLE prints it, taken apart; a character stands for a byte.</summary>
/// <param name="Head">Up to and with the opening parenthesis.</param>
/// <param name="Tail">From the closing parenthesis: the table's options and partitions.</param>
internal sealed record TableDefinition(string Head, IReadOnlyList<TableDefinitionPart> Parts, string Tail)
{
    /// <summary>The statement, in the server's own layout.</summary>
    public string Sql => Parts.Count == 0 ? $"{Head}\n{Tail}" : $"{Head}\n  {string.Join(",\n  ", Parts.Select(static part => part.Text))}\n{Tail}";

    public bool IsInnoDb => SqlTokens.Read(Tail) is var tokens
        && Enumerable.Range(0, Math.Max(0, tokens.Count - 2)).Any(i => tokens[i].IsWord("ENGINE") && tokens[i + 1].IsSign('=') && tokens[i + 2].IsWord("InnoDB"));

    /// <summary>Directories of its own in which the table, or one of its partitions, has its files.</summary>
    public IReadOnlyList<string> Directories => [.. DirectoryPlaces(SqlTokens.Read(Tail)).Select(static place => place.Value.Value.Trim('\''))];

    /// <summary>The same table with its files where the server has all others.</summary>
    public TableDefinition WithoutDirectories
    {
        get
        {
            string tail = Tail;
            foreach ((int start, SqlToken value) in DirectoryPlaces(SqlTokens.Read(Tail)).Reverse())
                tail = tail.Remove(start, value.End - start);
            return this with { Tail = tail };
        }
    }

    /// <summary>Takes a statement apart; null where it has not that form.</summary>
    public static TableDefinition? Read(string create)
    {
        IReadOnlyList<SqlToken> tokens = SqlTokens.Read(create);
        int open = 0;
        while (open < tokens.Count && !tokens[open].IsSign('('))
            open++;
        List<TableDefinitionPart> parts = [];
        int depth = 0;
        int first = open + 1;
        for (int i = open; i < tokens.Count; i++)
        {
            if (tokens[i].IsSign('('))
                depth++;
            bool closes = tokens[i].IsSign(')') && --depth == 0;
            if (!closes && !(depth == 1 && tokens[i].IsSign(',')))
                continue;
            if (i == first)
                return null;
            // With the ends of comments, which are no tokens: /*!80023 INVISIBLE */
            parts.Add(Part(create[tokens[first - 1].End..tokens[i].Start].Trim(), [.. tokens.Skip(first).Take(i - first)]));
            first = i + 1;
            if (closes)
                return new TableDefinition(create[..tokens[open].End], parts, create[tokens[i].Start..]);
        }

        return null;
    }

    /// <summary>The same table without some of its parts.</summary>
    public TableDefinition Without(Predicate<TableDefinitionPart> left) => this with { Parts = [.. Parts.Where(part => !left(part))] };

    /// <summary>Each <c>DATA DIRECTORY = '…'</c> and <c>INDEX DIRECTORY = '…'</c>, from the end of what is before it.</summary>
    private static IEnumerable<(int Start, SqlToken Value)> DirectoryPlaces(IReadOnlyList<SqlToken> tokens)
    {
        for (int i = 1; i + 3 < tokens.Count; i++)
        {
            if ((tokens[i].IsWord("DATA") || tokens[i].IsWord("INDEX")) && tokens[i + 1].IsWord("DIRECTORY") && tokens[i + 2].IsSign('='))
                yield return (tokens[i - 1].End, tokens[i + 3]);
        }
    }

    private static TableDefinitionPart Part(string text, IReadOnlyList<SqlToken> tokens)
    {
        (TablePartKind kind, string name) = tokens switch
        {
            [{ Kind: SqlTokenKind.Name } column, ..] => (TablePartKind.Column, column.Value),
            [var primary, ..] when primary.IsWord("PRIMARY") => (TablePartKind.PrimaryKey, ""),
            [var key, { Kind: SqlTokenKind.Name } its, ..] when key.IsWord("KEY") => (TablePartKind.Key, its.Value),
            [var full, var key, { Kind: SqlTokenKind.Name } its, ..] when full.IsWord("FULLTEXT") && key.IsWord("KEY") => (TablePartKind.FullTextKey, its.Value),
            [var sort, var key, { Kind: SqlTokenKind.Name } its, ..] when (sort.IsWord("UNIQUE") || sort.IsWord("SPATIAL")) && key.IsWord("KEY") =>
                (TablePartKind.Key, its.Value),
            [var constraint, { Kind: SqlTokenKind.Name } its, var what, ..] when constraint.IsWord("CONSTRAINT") =>
                (what.IsWord("FOREIGN") ? TablePartKind.ForeignKey : what.IsWord("CHECK") ? TablePartKind.Check : TablePartKind.Other, its.Value),
            _ => (TablePartKind.Other, ""),
        };
        return new TableDefinitionPart(kind, name, text, tokens);
    }
}
