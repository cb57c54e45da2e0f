using System.Text;
using Lifeboat.Engine.Snapshots;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;
using Lifeboat.Engine.Sources.MySql.Sql;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>
/// Compares definitions with the captured ones. Servers print what they were given in words of their own, which change from one version to the next.
/// So where the texts differ, two things must hold: both describe columns, keys and constraints of the same names, and the server prints of the captured
/// text, when it is given that as a whole, what it prints of the restored table.
/// </summary>
/// <param name="session">Is in the staged database.</param>
internal sealed class DefinitionComparison(RestoreTarget target, MySqlSession session)
{
    private const string ScratchView = "lifeboat__scratch";

    /// <param name="captured">CREATE TABLE as it was captured, a character for a byte.</param>
    /// <param name="ownsRows">Whether the table can be made again without asking what it shows.</param>
    public async Task<VerifyCheck> TableAsync(string name, string captured, bool ownsRows, CancellationToken cancellation)
    {
        string expected = Comparable(captured);
        string found = await PrintedAsync(target.Names.Staging, name, cancellation);
        bool same = expected == found
            || (ownsRows && Outline(expected) == Outline(found) && await MadeAgainAsync(name, captured, cancellation) == found);
        return new VerifyCheck($"definition of table {name}", expected, same ? expected : found);
    }

    /// <param name="captured">Of a routine, view, trigger or event.</param>
    /// <param name="found">What the staged database has of that name.</param>
    public async Task<VerifyCheck> ObjectAsync(Definition captured, Definition? found, CancellationToken cancellation)
    {
        string expected = Text(captured, target.Details.Database);
        string made = found is null ? "not there" : Back(Text(found, target.Names.Staging));
        bool same = expected == made || (found is not null && made == captured.Kind switch
        {
            "view" => await ViewMadeAgainAsync(captured, cancellation),
            "trigger" => expected, // it is kept as it was typed
            _ => await ObjectMadeAgainAsync(captured, cancellation),
        });
        return new VerifyCheck($"{captured.Kind} {captured.Name}", expected, same ? expected : made);
    }

    private Task<string> MadeAgainAsync(string name, string captured, CancellationToken cancellation) => InScratchAsync(async () =>
    {
        await session.ExecuteAsync($"SET sql_mode = '{Definitions.Mode},NO_DIR_IN_CREATE'", cancellation);
        string create = StagedContent.Placed(OutwardKey.Without(captured, target.HasTable), target.Details.Database, target.Names.Staging);
        await session.ExecuteAsync(Encoding.Latin1.GetBytes(create), cancellation);
        return await PrintedAsync(target.Names.Scratch, name, cancellation);
    }, cancellation);

    private Task<string> ObjectMadeAgainAsync(Definition captured, CancellationToken cancellation) => InScratchAsync(async () =>
    {
        await StagedContent.CreateAsync(session, [captured], target.Details.Database, target.Names.Scratch, awake: false, cancellation);
        IReadOnlyList<Definition> made = await new Definitions(session, target.Names.Scratch).ObjectsAsync(cancellation);
        return made is [var one] ? Back(Text(one, target.Names.Scratch)) : "";
    }, cancellation);

    /// <summary>Where the server or the connection fails, the scratch database goes with the staged one.</summary>
    private async Task<string> InScratchAsync(Func<Task<string>> make, CancellationToken cancellation)
    {
        string scratch = SqlText.Identifier(target.Names.Scratch);
        await session.ExecuteAsync($"CREATE DATABASE {scratch} {target.Details.DatabaseOptions}", cancellation);
        await session.ExecuteAsync($"USE {scratch}", cancellation);
        string made = await make();
        foreach (string sql in (string[])[$"USE {SqlText.Identifier(target.Names.Staging)}", $"DROP DATABASE {scratch}", Definitions.Reset])
            await session.ExecuteAsync(sql, cancellation);
        return made;
    }

    private async Task<string> ViewMadeAgainAsync(Definition captured, CancellationToken cancellation)
    {
        foreach (string sql in captured.Statements)
        {
            string create = StagedContent.AsOurs(StagedContent.Placed(sql, target.Details.Database, target.Names.Staging));
            string text = ReferenceEquals(sql, captured.Create) ? Renamed(create, ScratchView) : sql;
            await session.ExecuteAsync(Encoding.Latin1.GetBytes(text), cancellation);
        }

        await session.ExecuteAsync(Definitions.Reset, cancellation);
        string made = (await session.ShowAsync($"SHOW CREATE VIEW {ScratchView}", cancellation, Encoding.Latin1))[0][1];
        await session.ExecuteAsync($"DROP VIEW {ScratchView}", cancellation);
        Definition again = captured with
        {
            Statements = [.. captured.Statements.Select(sql => ReferenceEquals(sql, captured.Create) ? Renamed(made, Definitions.Latin1(SqlText.Identifier(captured.Name))) : sql)],
        };
        return Back(Text(again, target.Names.Staging));
    }

    /// <summary>The same view under another name.</summary>
    private static string Renamed(string create, string name)
    {
        SqlToken old = SqlTokens.Read(create).SkipWhile(static token => !token.IsWord("VIEW")).Skip(1).First();
        return create[..old.Start] + name + create[old.End..];
    }

    private async Task<string> PrintedAsync(string schema, string name, CancellationToken cancellation)
    {
        string printed = (await session.ShowAsync($"SHOW CREATE TABLE {SqlText.Identifier(schema, name)}", cancellation, Encoding.Latin1))[0][1];
        return Comparable(Back(printed));
    }

    /// <summary>Without what a staged table cannot have.</summary>
    private string Comparable(string create)
    {
        string without = OutwardKey.Without(create, target.HasTable);
        return TableDefinition.Read(without) is { } definition && definition.Directories.Count > 0 ? definition.WithoutDirectories.Sql : without;
    }

    /// <summary>What a table has, by kind and name.</summary>
    private static string Outline(string create) => TableDefinition.Read(create) is { } definition
        ? string.Join('\n', definition.Parts.Select(static part => $"{part.Kind} {part.Name}").Order(StringComparer.Ordinal)) : create;

    private string Back(string text) => StagedContent.Placed(text, target.Names.Staging, target.Details.Database);

    /// <summary>
    /// Staged events sleep, and views are not yet their definers'. MariaDB names the database of a view's columns only where its definer may not read them.
    /// </summary>
    private static string Text(Definition one, string database) => string.Join("\n", one.Kind switch
    {
        "event" => one.Statements.Select(Events.Asleep),
        "view" => one.Statements.Select(sql => ReferenceEquals(sql, one.Create)
            ? QualifiedNames.Replace(StagedContent.AsOurs(sql), Definitions.Latin1(database), null) : sql),
        _ => one.Statements,
    });
}
