using System.Security.Cryptography;
using System.Text;
using Lifeboat.Engine.Sources.MySql.Accounts;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Capture;

/// <summary>The SQL files beside a database's rows: a restore reads them, and the stock client program runs them as they are.</summary>
/// <param name="paths">Each table's data files, in the order of the tables.</param>
internal sealed class CaptureScripts(MySqlDetails details, CapturedSchema schema, IReadOnlyList<IReadOnlyList<string>> paths, string folder)
{
    private const string Settings =
        "SET NAMES utf8mb4, foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'";

    public IEnumerable<(string Name, byte[] Content)> All()
    {
        IReadOnlyList<Account> accounts = schema.Accounts ?? [];
        string mode = details.Family == "mariadb" ? GrantText.Mode : "SET sql_mode = ''";
        yield return ("users.sql", StatementFile.Write(
            "Accounts, roles and grants on whole databases and the server; passwords as their hashes.",
            [.. accounts.Select(static a => Definitions.Latin1(a.Create)), .. Grants(static grant => !GrantText.IsLate(grant))]));
        yield return ("grants.sql", StatementFile.Write(
            "Grants on tables, columns and routines of this database.",
            [mode, .. Grants(grant => GrantText.IsLate(grant) && !GrantText.IsElsewhere(grant, details.Database))]));
        yield return ("grants-elsewhere.sql", StatementFile.Write(
            "Grants on tables, columns and routines of other databases.", [mode, .. Grants(grant => GrantText.IsElsewhere(grant, details.Database))]));
        yield return ("database.sql", Utf8($"CREATE DATABASE {SqlText.Identifier(details.Database)} {schema.DatabaseOptions};\n"));
        yield return ("sequences.sql", StatementFile.Write(
            "Sequences, and where they stand.", [Settings, .. schema.Sequences.SelectMany(static s => new[] { s.Create, SetValue(s.Sequence) })]));
        yield return ("schema.sql", StatementFile.Write("Tables, one statement each.", [Settings, .. schema.Creates]));
        yield return ("objects.sql", StatementFile.Write(
            "Routines, views, triggers and events, each behind the settings it was made with.",
            [Settings, .. schema.Objects.SelectMany(static o => o.Statements), Definitions.Reset]));
        yield return ("load.sql", Utf8(Load()));
    }

    /// <summary>SHA-256 of all definitions, in lower-case hex: the same as long as they are the same, wherever the rows and the sequences are.</summary>
    public string DefinitionsDigest()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string one in schema.Creates.Concat(schema.Objects.SelectMany(static o => o.Statements)).Prepend(schema.DatabaseOptions))
        {
            hash.AppendData(Utf8(one));
            hash.AppendData([0]);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The statement that makes a sequence go on where it was.</summary>
    public static string SetValue(MySqlSequence sequence) => $"DO SETVAL({SqlText.Identifier(sequence.Name)}, {sequence.Next}, 0, {sequence.Cycles})";

    private string[] Grants(Func<string, bool> which) =>
        [.. (schema.Accounts ?? []).SelectMany(static a => a.Grants).Where(which).Select(Definitions.Latin1)];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private string Load()
    {
        StringBuilder text = new($"-- Loads the rows; run in this folder by a client program with --local-infile=1.\n{Settings};\n");
        if (details.Family == "mariadb")
            text.Append("SET check_constraint_checks = 0;\n");
        if (details.Tables.Any(static t => t.Versioned))
            text.Append("SET system_versioning_insert_history = 1;\n");
        for (int i = 0; i < details.Tables.Count; i++)
        {
            foreach (string path in paths[i])
                text.Append(Load(details.Tables[i], path[(folder.Length + 1)..])).Append(";\n");
        }

        return text.ToString();
    }

    private static string Load(MySqlTable table, string file)
    {
        List<string> columns = [];
        List<string> sets = [];
        foreach (MySqlColumn column in table.Columns)
        {
            string name = SqlText.Identifier(column.Name);
            string variable = $"@v{columns.Count}";
            bool converted = column.Form is ValueForm.Utf8 or ValueForm.Number;
            columns.Add(converted ? variable : name);
            if (converted)
                sets.Add(column.Form == ValueForm.Number ? $"{name} = CAST({variable} AS UNSIGNED)" : $"{name} = CONVERT({variable} USING utf8mb4)");
        }

        return $"LOAD DATA LOCAL INFILE {SqlText.Literal(file)} INTO TABLE {SqlText.Identifier(table.Name)} CHARACTER SET binary "
            + $"FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' ({string.Join(", ", columns)})"
            + (sets.Count == 0 ? "" : $" SET {string.Join(", ", sets)}");
    }
}
