using System.Text;
using Lifeboat.Engine.Apps.Keys;
using Lifeboat.Engine.Apps.Validation;

namespace Lifeboat.Engine.Apps.Detection;

/// <summary>Writes a commented <c>lifeboat.yaml</c> out of findings. Whatever they are, the file is valid, and nothing secret is in it.</summary>
/// <param name="directory">The folder that was looked at; absolute.</param>
/// <param name="home">The folder that the file is for; absolute, mostly the same.</param>
internal sealed class AppFileWriter(string directory, string home)
{
    private const string StorePath = "./backups";
    private readonly StringBuilder _text = new();
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    public string Write(IReadOnlyList<Finding> all)
    {
        IReadOnlyList<Finding> findings = [.. all.Select(Writable)];
        Header();
        Line("sources:");
        SourceFinding[] sources = [.. findings.OfType<SourceFinding>()];
        foreach (SourceFinding finding in sources)
            Source(finding, ExcludesFor(finding.Source, sources));
        Settings([.. findings.OfType<SettingsFileFinding>()]);
        if (_names.Count == 0)
            WholeFolder();
        foreach (NoteFinding note in findings.OfType<NoteFinding>())
        {
            Comment("  ", note.Reason);
            foreach (string advice in note.Advice)
                Comment("  ", "  " + advice);
            Line("");
        }

        Footer(sources.Any(static one => one.Source.Type is "postgres" or "mysql"));
        return _text.ToString();
    }

    /// <summary>A finding, or a note in its place where the app file's rules would take its path for something else.</summary>
    private Finding Writable(Finding finding)
    {
        string? path = finding switch
        {
            SourceFinding source => source.Source.Fields.FirstOrDefault(static f => f.Key == "path")?.Text,
            SettingsFileFinding file => WrittenPath.Of(home, file.FullPath),
            _ => null,
        };
        return path is null || (path.Length <= 4096 && TextRules.Path(path) is null)
            ? finding
            : new NoteFinding(finding.Reason, ["its path has characters that an app file does not take: give it another name"]);
    }

    private void Header()
    {
        Line($"# yaml-language-server: $schema=.lifeboat/{AppFileSchema.FileName}");
        Line("# What Lifeboat backs up as one application, and where to. Paths are relative to this file.");
        Line("# `lifeboat doctor` says whether all of it can be backed up here, `lifeboat backup` does it.");
        Line("# No secret belongs into this file: name its place instead (env:NAME, file:PATH, command:PROGRAM ARGS, credential:NAME).");
        Line("");
        Line($"app: {YamlQuoting.Quote(AppName())}");
        Line("");
    }

    private string AppName()
    {
        string name = DraftNames.Of(Path.GetFileName(directory), "app", longest: 48);
        return name[0] is '-' ? "app" : name;
    }

    private void Source(SourceFinding finding, IReadOnlyList<string> excludes)
    {
        Comment("  ", finding.Reason);
        foreach (string comment in finding.Source.Comments)
            Comment("  ", comment);
        Line($"  {DraftNames.Unique(finding.Source.Name, _names)}:");
        Line($"    type: {finding.Source.Type}");
        foreach (DraftField field in finding.Source.Fields.Where(static f => f.Key != "exclude"))
            Field(field);
        string[] all = [.. finding.Source.Fields.Where(static f => f.Key == "exclude").SelectMany(static f => f.Items).Concat(excludes).Distinct()];
        if (all.Length > 0)
            Field(DraftField.Of("exclude", all));
        Line("");
    }

    /// <summary>
    /// Leaves out of a folder what is backed up better otherwise: our own bundles, and databases that are sources of their own (whose files, copied
    /// while they are written, would be torn).
    /// </summary>
    private List<string> ExcludesFor(SourceDraft draft, SourceFinding[] sources)
    {
        List<string> excludes = [];
        if (draft.Type != "files" || FullPath(draft) is not { } folder)
            return excludes;
        if (AppPaths.Inside(folder, AppPaths.Resolve(home, StorePath)) is { } store)
            excludes.Add(store);
        foreach (SourceDraft database in sources.Select(static s => s.Source).Where(static s => s.Type is "sqlite" or "chroma"))
        {
            if (FullPath(database) is { } file && AppPaths.Inside(folder, file) is { } inside && TextRules.Glob(inside) is null && !inside.AsSpan().ContainsAny('*', '?'))
                excludes.AddRange(database.Type == "chroma" ? [inside] : [inside, inside + "-wal", inside + "-shm", inside + "-journal"]);
        }

        return excludes;
    }

    private string? FullPath(SourceDraft draft) =>
        draft.Fields.FirstOrDefault(static f => f.Key == "path")?.Text is { } path ? AppPaths.Resolve(directory, path) : null;

    private void Settings(IReadOnlyList<SettingsFileFinding> files)
    {
        if (files.Count == 0)
            return;
        foreach (SettingsFileFinding file in files)
            Comment("  ", file.Reason);
        Comment("  ", "environment variables of the application are kept too where they are named: environment: [API_KEY]");
        Line($"  {DraftNames.Unique("settings", _names)}:");
        Line("    type: settings");
        Field(DraftField.Of("files", [.. files.Select(f => WrittenPath.Of(home, f.FullPath)).Distinct(StringComparer.Ordinal)]));
        Line("");
    }

    private void WholeFolder()
    {
        Comment("  ", "nothing was recognised here: this backs up the whole folder; replace it by what the application keeps");
        Line($"  {DraftNames.Unique("files", _names)}:");
        Line("    type: files");
        if (home == directory)
        {
            Line("    path: .");
            Line("    exclude: [backups, .lifeboat]");
        }
        else
        {
            Field(DraftField.Of("path", directory));
        }

        Line("");
    }

    private void Field(DraftField field)
    {
        if (field.Text is not null)
            Line($"    {field.Key}: {YamlQuoting.Quote(field.Key == "path" && home != directory ? WrittenPath.Of(home, AppPaths.Resolve(directory, field.Text)) : field.Text)}");
        else
            Line($"    {field.Key}: [{string.Join(", ", field.Items.Select(YamlQuoting.Quote))}]");
    }

    private void Footer(bool hasDatabases)
    {
        Comment("", "where bundles are kept: a directory; one on another disk survives this one");
        Line("stores:");
        Line("  local:");
        Line($"    path: {StorePath}");
        Line("");
        Comment("", "every bundle is encrypted with the passphrase in that file. Without it no bundle can be opened:");
        Comment("", "keep a copy of it somewhere else than on this machine, and neither of them beside the bundles.");
        Line("encryption:");
        Line($"  password: \"file:{InitOperation.PassphraseName}\"");
        if (!hasDatabases)
            return;
        Line("");
        Comment("", "behind a backup, see whether definitions that have changed can be restored: they are, without rows, beside the live database, and removed.");
        Comment("", "The role needs the right to create databases. `lifeboat doctor --restore-check` does it at any time.");
        Line("# restore_check: {when: changed}");
    }

    private void Comment(string indent, string text) => Line($"{indent}# {YamlQuoting.Comment(text)}");

    private void Line(string line) => _text.Append(line).Append('\n');
}
