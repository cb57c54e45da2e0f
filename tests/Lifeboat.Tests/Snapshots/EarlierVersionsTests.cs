using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Lifeboat.Engine.Snapshots;

namespace Lifeboat.Tests.Snapshots;

/// <summary>
/// Journals, metadata and sidecars of earlier versions lack what later ones have. A list that a document does not have is empty, and never null: the serializer gives null to
/// an init-only property that is missing, whatever its initializer says.
/// </summary>
public sealed class EarlierVersionsTests
{
    private static readonly Assembly s_engine = typeof(VerifiedSnapshot).Assembly;

    public static TheoryData<Type> Contexts => [.. s_engine.GetTypes().Where(static type => type.IsSubclassOf(typeof(JsonSerializerContext))).OrderBy(static type => type.FullName, StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Contexts))]
    public void A_list_that_a_document_lacks_is_not_null(Type context)
    {
        JsonSerializerContext own = (JsonSerializerContext)context.GetProperty("Default", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
        JsonSerializerOptions lenient = new(own.Options)
        {
            TypeInfoResolver = own.WithAddedModifier(static info =>
            {
                foreach (JsonPropertyInfo property in info.Properties)
                    property.IsRequired = false;
            }),
        };
        List<string> nulls = [];
        foreach (Type type in Reachable(context, lenient).Where(static type => !type.IsAbstract))
        {
            object empty = JsonSerializer.Deserialize("{}", lenient.GetTypeInfo(type))!;
            nulls.AddRange(type.GetProperties().Where(property => IsOptionalList(type, property) && property.GetValue(empty) is null).Select(property => $"{type.Name}.{property.Name}"));
        }

        Assert.Empty(nulls);
    }

    /// <summary>The engine's own types with properties that a context reads, those in others included.</summary>
    private static HashSet<Type> Reachable(Type context, JsonSerializerOptions options)
    {
        HashSet<Type> found = [];
        Queue<Type> next = new(context.GetCustomAttributesData().Where(static one => one.AttributeType == typeof(JsonSerializableAttribute))
            .Select(static one => (Type)one.ConstructorArguments[0].Value!));
        while (next.TryDequeue(out Type? type))
        {
            foreach (Type part in type.GetGenericArguments().Concat(type.GetCustomAttributes<JsonDerivedTypeAttribute>().Select(static one => one.DerivedType)))
                next.Enqueue(part);
            if (type.Assembly != s_engine || type.IsEnum || options.GetTypeInfo(type) is not { Kind: JsonTypeInfoKind.Object } info || !found.Add(type))
                continue;
            foreach (JsonPropertyInfo property in info.Properties)
                next.Enqueue(property.PropertyType);
        }

        return found;
    }

    /// <summary>What every version has is <c>required</c>, or a parameter of the constructor.</summary>
    private static bool IsOptionalList(Type type, PropertyInfo property) =>
        property.CanWrite && property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)
        && property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is null
        && new NullabilityInfoContext().Create(property).ReadState == NullabilityState.NotNull
        && !type.GetConstructors().SelectMany(static constructor => constructor.GetParameters())
            .Any(parameter => string.Equals(parameter.Name, property.Name, StringComparison.OrdinalIgnoreCase));
}
