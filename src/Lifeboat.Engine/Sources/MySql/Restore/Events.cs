using System.Text;
using System.Text.RegularExpressions;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Hosting;
using Lifeboat.Engine.Progress;
using Lifeboat.Engine.Sources.MySql.Catalogue;
using Lifeboat.Engine.Sources.MySql.Sessions;

namespace Lifeboat.Engine.Sources.MySql.Restore;

/// <summary>Events that must not run yet, and those that never will again.</summary>
internal static partial class Events
{
    /// <summary>How SHOW CREATE EVENT begins. Names may hold what looks like the rest.</summary>
    private const string Head = "^(CREATE (?:DEFINER=`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)? )?EVENT `(?:[^`]|``)+` ON SCHEDULE ";

    /// <summary>The same event, disabled. SHOW CREATE EVENT always prints the state, in one form, before comment and body.</summary>
    public static string Asleep(string create) => State().Replace(create, "$1 DISABLE", 1);

    /// <summary>Those whose time is over and who do not outlive that: a server drops them as soon as they are made.</summary>
    public static async Task<IReadOnlyList<Definition>> OverAsync(MySqlSession session, IEnumerable<Definition> objects, CancellationToken cancellation)
    {
        List<Definition> over = [];
        foreach (Definition one in objects.Where(static one => one.Kind == "event"))
        {
            Match end = End().Match(one.Create);
            if (!end.Success)
                continue;
            // Its time is one of its own time zone.
            foreach (string sql in one.Statements.Where(static sql => sql.StartsWith("SET ", StringComparison.Ordinal)))
                await session.ExecuteAsync(Encoding.Latin1.GetBytes(sql), cancellation);
            if (await session.SelectOneAsync($"{end.Groups["end"].Value} <= NOW()", "", cancellation) == "1")
                over.Add(one);
        }

        await session.ExecuteAsync(Definitions.Reset, cancellation);
        return over;
    }

    public static void Warn(RunContext context, string source, IEnumerable<Definition> over)
    {
        foreach (Definition one in over)
            context.Progress.Report(new Warned(source, new Problem(
                ErrorCodes.MySqlEventOver, $"event {one.Name} is left out: its time is over, and the server drops such events as soon as they are made",
                "see objects.sql in the snapshot for its definition, and create it anew if it should run again", source)));
    }

    [GeneratedRegex(Head + @".*? ON COMPLETION (?:NOT )?PRESERVE) (?:ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)\b", RegexOptions.Singleline)]
    private static partial Regex State();

    [GeneratedRegex(Head + @"(?:AT|EVERY .*? ENDS)) (?<end>'[^']*') ON COMPLETION NOT PRESERVE ", RegexOptions.Singleline)]
    private static partial Regex End();
}
