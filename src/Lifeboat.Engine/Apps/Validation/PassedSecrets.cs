using Lifeboat.Engine.Apps.Yaml;

namespace Lifeboat.Engine.Apps.Validation;

/// <summary>What programs are given by <c>pass_environment:</c> must not be a secret of Lifeboat's own.</summary>
internal sealed class PassedSecrets(Mistakes mistakes)
{
    private const string Key = "pass_environment";

    public void Check(MapNode root)
    {
        if (root.Value(Key) is not ListNode passed)
            return;
        HashSet<string> secrets = [.. Texts(root).Where(static text => text.StartsWith("env:", StringComparison.Ordinal)).Select(static text => text[4..]), "LIFEBOAT_PASSWORD"];
        foreach (TextNode name in passed.Items.OfType<TextNode>().Where(name => secrets.Contains(name.Text)))
            mistakes.Add(
                name.At, Key, $"{name.Text} holds a secret of Lifeboat's own, which programs are not given",
                "give the program a secret of its own, or keep Lifeboat's in a file (`file:PATH`)");
    }

    private static IEnumerable<string> Texts(YamlNode node) => node switch
    {
        TextNode text => [text.Text],
        ListNode list => list.Items.SelectMany(Texts),
        MapNode map => map.Entries.SelectMany(static entry => Texts(entry.Value)),
        _ => [],
    };
}
